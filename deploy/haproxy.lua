-- Is it for want of the right that the engine's socket is out of reach?
--
-- haproxy answers 503 whether nobody listens there or it may not connect. deploy/haproxy.cfg asks
-- this only then, so that people read which of the two they have to mend.

local socket = os.getenv("PROXY_ENGINE") or "/var/run/docker.sock"
local PERMISSION_DENIED = 13

core.register_fetches("may_not_connect", function()
    local file, _, reason = io.open(socket, "r+")
    if file then
        file:close()
    end
    return reason == PERMISSION_DENIED
end)
