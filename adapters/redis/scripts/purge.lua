-- ARGV: before, limit. Answers how many ended commands were removed.
local before, limit = unpack(ARGV)
local old = call('ZRANGEBYSCORE', key('ended'), '-inf', '(' .. before, 'LIMIT', 0, limit)
for _, id in ipairs(old) do
  call('DEL', key('subject', fields(id, 'subject')), key('command', id))
  call('ZREM', key('ended'), id)
end
return #old
