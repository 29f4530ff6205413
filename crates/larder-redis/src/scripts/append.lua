call('DEL', NONE)
same_run()
append(8, 5)
return {epoch, head}
