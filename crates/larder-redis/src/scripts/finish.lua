local anchored_in, change = ARGV[8], ARGV[9]
call('DEL', NONE)
same_run()
if epoch ~= anchored_in then return false end
log({change})
return {epoch, head}
