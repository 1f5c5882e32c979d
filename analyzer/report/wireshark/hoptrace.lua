-- Fields of what hoptrace says in a frame's comment (hoptrace analyze -o FILE.pcapng), to filter by and for columns:
-- hoptrace.verdict == "dropped", hoptrace.journey == 3. Loaded by hoptrace open, or wireshark -X lua_script:hoptrace.lua.

local hoptrace = Proto("hoptrace", "hoptrace: which packet a frame shows")
local fields = hoptrace.fields

fields.journey = ProtoField.uint32("hoptrace.journey", "Journey")
fields.hop = ProtoField.uint32("hoptrace.hop", "Hop")
fields.hops = ProtoField.uint32("hoptrace.hops", "Hops")
fields.connection = ProtoField.uint32("hoptrace.connection", "Connection")
fields.nat = ProtoField.string("hoptrace.nat", "NAT")
fields.verdict = ProtoField.string("hoptrace.verdict", "Verdict")
fields.reason = ProtoField.string("hoptrace.reason", "Why")

local comment = Field.new("frame.comment")

function hoptrace.dissector(_, _, tree)
  for _, found in ipairs({ comment() }) do
    local text = found.value
    local journey, hop, hops, rest = text:match("^J(%d+) hop (%d+) of (%d+)(.*)$")
    if journey then
      local branch = tree:add(hoptrace, "hoptrace, journey J" .. journey)
      branch:add(fields.journey, tonumber(journey))
      branch:add(fields.hop, tonumber(hop))
      branch:add(fields.hops, tonumber(hops))
      local connection = rest:match("^; C(%d+)")
      if connection then
        branch:add(fields.connection, tonumber(connection))
      end
      local verdict, reason = rest:match("; ([%a ]+) here: (.*)$")
      if verdict then
        rest = rest:sub(1, #rest - #("; " .. verdict .. " here: " .. reason))
        branch:add(fields.verdict, verdict)
        branch:add(fields.reason, reason)
      end
      for nat in (rest .. "; "):gmatch("NAT: (.-); ") do
        branch:add(fields.nat, nat)
      end
    end
  end
end

register_postdissector(hoptrace)
