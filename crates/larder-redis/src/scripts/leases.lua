-- Wakes who waits for a lease that is over.
local function wake(lease, awaited)
  if awaited == '1' then
    redis.pcall('PUBLISH', CHANNEL, 'w' .. sub(lease, #META + 2))
  end
end

-- Ends the lease if this token holds it, and says of which epoch and position it was.
local function take(lease, token)
  local held = call('GET', lease)
  if not held or sub(held, 1, 16) ~= token then return nil end
  call('DEL', lease)
  wake(lease, sub(held, 41))
  return {epoch = sub(held, 17, 32), as_of = struct.unpack('<I8', held, 33)}
end
