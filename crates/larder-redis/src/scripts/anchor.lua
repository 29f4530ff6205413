call('DEL', NONE)
same_run()
log({ARGV[5]})
call('HSET', META, 'b', string.format('%.0f', head))
return {epoch, head}
