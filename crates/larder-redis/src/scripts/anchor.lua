call('DEL', NONE)
same_run()
-- Its scan would not know keys of another form, and find none of them.
if theirs ~= OURS then return {'outranked'} end
log({ARGV[5]})
call('HSET', META, 'b', string.format('%.0f', head))
return {epoch, head}
