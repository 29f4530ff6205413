call('DEL', NONE)
same_run()
log({ARGV[5]})
call('HSET', META, 'b', decimal(head))
return {epoch, head}
