local lease, token, ttl = KEYS[5], ARGV[8], ARGV[9]
live()
local held = call('HMGET', lease, 't', 'e')
if held[1] ~= token or held[2] ~= epoch then return 0 end
return call('PEXPIRE', lease, ttl)
