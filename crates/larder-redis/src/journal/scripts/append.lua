local no = refusal()
if no then return no end

-- All or none: nothing is written before everything was looked at.
local last, new = tonumber(call('HGET', HELD, 'l')), {}
for i = 3, #ARGV, 2 do
  local sequence = tonumber(ARGV[i])
  if sequence > last then
    new[#new + 1] = i
    last = sequence
  else
    -- One that was sent before, and whose answer was lost, is there as it was.
    local kept = call('XRANGE', RECORDS, id(ARGV[i]), id(ARGV[i]))[1]
    if #new > 0 or not kept or kept[2][2] ~= ARGV[i + 1] then return {'conflict', ARGV[i]} end
  end
end
for _, i in ipairs(new) do
  call('XADD', RECORDS, id(ARGV[i]), 'r', ARGV[i + 1])
end
if #new == 0 then
  -- A repetition needs no room: a write that a full server lets through, and after it the other.
  call('DEL', NONE)
end
-- Always: the caller takes every answer for a renewed lease.
call('HSET', HELD, 'l', decimal(last), 'u', lease(now_us(), ARGV[2]))
return {'ok'}
