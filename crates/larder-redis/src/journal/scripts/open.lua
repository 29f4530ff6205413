-- ARGV[4]: only what somebody has left, not an empty one.
local name, ttl_ms, only_left = ARGV[2], ARGV[3], ARGV[4] == '1'
-- A write that a full server lets through, and after it the others.
call('DEL', NONE)
local now = now_us()
local held = call('HMGET', HELD, 't', 'n', 'u', 'l')
local left = (tonumber(held[3]) or 0) - now
if held[1] ~= TOKEN then
  local records = #call('XRANGE', RECORDS, '-', '+', 'COUNT', 1)
  if held[1] and left > 0 then
    return {'taken', held[2] or '', math.ceil(left / 1000), held[3], records}
  end
  if only_left and records == 0 then return {'empty'} end
end

local last = tonumber(held[4]) or now
-- Records may have outlived what was noted of them.
if call('EXISTS', RECORDS) == 1 then
  local stream = call('XINFO', 'STREAM', RECORDS)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      local sequence = tonumber(string.match(stream[i + 1], '^%d+'))
      if sequence >= SEQUENCE_MAX then return {'foreign', stream[i + 1]} end
      last = math.max(last, sequence)
    end
  end
end
call('HSET', HELD, 't', TOKEN, 'n', name, 'u', lease(now, ttl_ms), 'l', decimal(last))
return {'ok', decimal(last)}
