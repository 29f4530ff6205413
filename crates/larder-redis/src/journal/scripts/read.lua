local from, left, bytes_left = id(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local no = refusal()
if no then return no end

-- Few at a time: how large records are is known once they are there.
local STEP = 16
local found = {}
while left > 0 and bytes_left > 0 do
  local count = math.min(left, STEP)
  local entries = call('XRANGE', RECORDS, from, '+', 'COUNT', count)
  for _, entry in ipairs(entries) do
    local sequence, rest = string.match(entry[1], '^(%d+)%-(%d+)$')
    if rest ~= '0' then return {'foreign', entry[1]} end
    local fields = entry[2]
    -- What is no record is handed out as one that is damaged.
    local record = #fields == 2 and fields[1] == 'r' and fields[2] or ''
    found[#found + 1] = sequence
    found[#found + 1] = record
    found[#found + 1] = call('HGET', PARKED, sequence)
    bytes_left = bytes_left - #record
    from = '(' .. entry[1]
  end
  if #entries < count then break end
  left = left - count
end
return {'ok', found}
