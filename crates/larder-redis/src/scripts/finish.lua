local anchored_in, change = ARGV[5], ARGV[6]
call('DEL', NONE)
same_run()
if epoch ~= anchored_in then return false end
log({change})
return {epoch, head}
