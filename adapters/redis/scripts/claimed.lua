-- ARGV: node, id, limit. Answers claimed commands behind this node and id, by both.
local after_node, after_id, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = {}
for _, id in ipairs(call('ZRANGE', key('claimed'), 0, -1)) do
  local node = tonumber((fields(id, 'node_id')))
  if node > after_node or (node == after_node and tonumber(id) > after_id) then
    table.insert(held, { node, tonumber(id), id })
  end
end
table.sort(held, function(a, b)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end)
local commands = {}
for i = 1, math.min(#held, limit) do
  table.insert(commands, everything(held[i][3]))
end
return commands
