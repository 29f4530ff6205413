-- A lease is a string: 16 bytes each of token and epoch, 8 of as_of, and '1' if somebody waits.
local value, lease, token, seen, ttl = KEYS[5], KEYS[6], ARGV[5], ARGV[6], ARGV[7]
live()
-- One that has not the parameters of the shard may append, no more.
if theirs ~= OURS then return {'outranked'} end
local found = call('MGET', lease, value)
local held, stored = found[1] or '', found[2] or ''
local is_held = sub(held, 17, 32) == epoch
-- The answer to the first try was lost. What was loaded since began at its position.
if is_held and sub(held, 1, 16) == token then
  local as_of = struct.unpack('<I8', held, 33)
  return {'granted', epoch, as_of}
end
if sub(stored, 21, 36) == epoch and sub(stored, 5, 20) ~= seen then
  return {'filled', epoch, head, stored}
end
if is_held then
  call('SETRANGE', lease, 40, '1')
  return {'held'}
end
-- Who waited for a lease of an older epoch waits for this one now.
local awaited = held == '' and '0' or sub(held, 41)
call('SET', lease, token .. epoch .. struct.pack('<I8', head) .. awaited, 'PX', ttl)
return {'granted', epoch, head}
