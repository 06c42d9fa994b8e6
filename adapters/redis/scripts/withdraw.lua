-- ARGV: id, lease. Answers 1 when the command is gone, 0 when it is not pending at this lease.
local id, lease = unpack(ARGV)
local state, current, node, lane, subject = fields(id, 'state', 'lease', 'node_id', 'lane', 'subject')
if state ~= 'pending' or current ~= lease then
  return 0
end
out_of_waiting(id, node, lane)
call('DEL', key('subject', subject), key('command', id))
return 1
