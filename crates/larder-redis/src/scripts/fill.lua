local value, lease, token, entry, expires_at, tags = KEYS[5], KEYS[6], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
live()
local held = take(lease, token)
-- A soft record makes stale, and says so when the entry is judged: only hard ones reject.
if not allowed(held, entry, expires_at, tags, false) then return 0 end
call('SET', value, entry, 'PXAT', expires_at)
return 1
