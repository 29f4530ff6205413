local value, lease, token, entry, expires_at, tags = KEYS[5], KEYS[6], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
call('DEL', NONE)
same_run()
-- As in an append, and nothing of it may be stored.
if theirs ~= OURS then return {'outranked'} end
local held = take(lease, token)
-- Nothing would flag the entry later, so a soft record since its lease rejects it too. A store
-- without a record would leave older copies alive.
local stored = #ARGV > 8 and allowed(held, entry, expires_at, tags, true)
append(9, 7)
if stored then
  -- The entry is newer than whatever flagged the one that it replaces.
  local as_of = struct.pack('<I8', head) .. struct.pack('>I8', head)
  call('SET', value, sub(entry, 1, 3) .. '\0' .. sub(entry, 5, 36) .. as_of .. sub(entry, 53), 'PXAT', expires_at)
end
return {epoch, head, stored and 1 or 0}
