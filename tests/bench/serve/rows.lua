-- The load: every request is a row of the sample with an id that was never sent before.
-- Owns the form of a request; knows no server and judges no answer beyond counting what wrk counts.
--
-- From the environment: BENCH_ROWS, a file of one JSON object a line with @ID@ for the id; BENCH_PREFIX, three
-- characters that no other window has; BENCH_AUTHORIZATION, the header's value (every user can read arguments).

local rows = {}
local sent = 0
local prefix = os.getenv("BENCH_PREFIX")
local ID_LENGTH = 12

function init(args)
    local authorization = os.getenv("BENCH_AUTHORIZATION")
    for line in io.lines(os.getenv("BENCH_ROWS")) do
        local before, after = line:match("^(.*)@ID@(.*)$")
        local head = "POST " .. wrk.path .. " HTTP/1.1\r\n"
            .. "Host: " .. wrk.headers["Host"] .. "\r\n"
            .. "Authorization: " .. authorization .. "\r\n"
            .. "Content-Type: application/json\r\n"
            .. "Content-Length: " .. (#before + ID_LENGTH + #after) .. "\r\n\r\n"
        rows[#rows + 1] = { head .. before, after }
    end
end

function request()
    local row = rows[sent % #rows + 1]
    sent = sent + 1
    return row[1] .. string.format("L%s%08d", prefix, sent) .. row[2]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "duration_us": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "max_us": %d, '
            .. '"not_2xx": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
        errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
