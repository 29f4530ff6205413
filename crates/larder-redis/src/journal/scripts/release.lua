-- The last sequence stays: whoever comes next counts on from it.
if not refusal() then
  call('HDEL', HELD, 't', 'n', 'u')
end
return {'ok'}
