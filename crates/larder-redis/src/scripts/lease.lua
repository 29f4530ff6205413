local value, lease, token, seen, ttl = KEYS[5], KEYS[6], ARGV[5], ARGV[6], ARGV[7]
live()
if not is_member() then return {'outranked'} end
local held = call('GET', lease) or ''
local is_held = sub(held, 17, 32) == epoch
-- The answer to the first try was lost. What was loaded since began at its position.
if is_held and sub(held, 1, 16) == token then
  local as_of = struct.unpack('<I8', held, 33)
  return {'granted', epoch, as_of}
end
local stored = call('GETRANGE', value, 0, 43)
if sub(stored, 21, 36) == epoch and sub(stored, 5, 20) ~= seen then
  return {'filled', epoch, head, call('GET', value)}
end
if is_held then
  call('SETRANGE', lease, 40, '1')
  return {'held'}
end
-- Who waited for a lease of an older epoch waits for this one now.
call('SET', lease, granted(token, held == '' and '0' or sub(held, 41)), 'PX', ttl)
return {'granted', epoch, head}
