-- ARGV: before. Answers the nodes that were noted as online and were last heard before that, and notes them as offline.
local gone = call('ZRANGEBYSCORE', key('online'), '-inf', '(' .. ARGV[1])
for _, node in ipairs(gone) do
  call('ZREM', key('online'), node)
end
return gone
