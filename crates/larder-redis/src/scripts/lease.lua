local value, lease, token, seen, ttl = KEYS[5], KEYS[6], ARGV[8], ARGV[9], ARGV[10]
live()
if not is_member() then return {'outranked'} end
local held = call('HMGET', lease, 't', 'e', 'a', 'w')
local is_held = held[2] == epoch
-- The answer to the first try was lost. What was loaded since began at its position.
if is_held and held[1] == token then return {'granted', epoch, tonumber(held[3])} end
local stored = call('GETRANGE', value, 0, 43)
if sub(stored, 21, 36) == epoch and sub(stored, 5, 20) ~= seen then
  return {'filled', epoch, head, call('GET', value)}
end
if is_held then
  call('HSET', lease, 'w', 1)
  return {'held'}
end
-- Who waited for a lease of an older epoch waits for this one now.
call('HSET', lease, 't', token, 'e', epoch, 'a', decimal(head), 'w', held[4] or 0)
call('PEXPIRE', lease, ttl)
return {'granted', epoch, head}
