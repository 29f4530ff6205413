local sequence, reason = ARGV[2], ARGV[3]
local no = refusal()
if no then return no end
if not reason then
  call('HDEL', PARKED, sequence)
elseif #call('XRANGE', RECORDS, id(sequence), id(sequence)) > 0 then
  call('HSET', PARKED, sequence, reason)
end
return {'ok'}
