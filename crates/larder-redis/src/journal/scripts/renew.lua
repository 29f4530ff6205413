local no = refusal()
if no then return no end
-- A write that a full server lets through, and after it the other.
call('DEL', NONE)
call('HSET', HELD, 'u', lease(now_us(), ARGV[2]))
return {'ok'}
