local value, lease, token, entry, expires_at, tags = KEYS[5], KEYS[6], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
live()
local held = take(lease, token)
-- A soft record makes stale, and says so when the entry is judged: only hard ones reject.
if not allowed(held, entry, expires_at, tags, false) then return 0 end
call('SET', value, entry, 'PXAT', expires_at)
return 1
