-- ARGV: subjects. Answers the commands of those that have one.
local found = {}
for _, subject in ipairs(ARGV) do
  local id = call('GET', key('subject', subject))
  if id then
    table.insert(found, everything(id))
  end
end
return found
