local no = refusal()
if no then return no end
-- As many as one call takes.
local STEP = 500
for first = 2, #ARGV, STEP do
  local sequences, ids = {}, {}
  for i = first, math.min(first + STEP - 1, #ARGV) do
    sequences[#sequences + 1] = ARGV[i]
    ids[#ids + 1] = id(ARGV[i])
  end
  call('XDEL', RECORDS, unpack(ids))
  call('HDEL', PARKED, unpack(sequences))
end
return {'ok'}
