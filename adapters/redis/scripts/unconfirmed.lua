-- ARGV: before. Answers the nodes with a command that was claimed before that and has had no sign of life since.
local nodes = {}
for _, id in ipairs(call('ZRANGEBYSCORE', key('claimed'), '-inf', '(' .. ARGV[1])) do
  local acknowledged, node = fields(id, 'acknowledged', 'node_id')
  if acknowledged == '0' then
    table.insert(nodes, node)
  end
end
return nodes
