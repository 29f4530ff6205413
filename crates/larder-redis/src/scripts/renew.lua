local lease, token, ttl = KEYS[5], ARGV[5], ARGV[6]
live()
if call('GETRANGE', lease, 0, 31) ~= token .. epoch then return 0 end
return call('PEXPIRE', lease, ttl)
