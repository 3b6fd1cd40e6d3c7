import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonLine } from '../../src/log/json-line.ts'
import type { Line } from '../../src/log/sink.ts'
import { openSyslogSink } from '../../src/log/syslog-sink.ts'
import { type RunningServer, startServer } from './harness.ts'
import { needs } from './needs.ts'

/** rsyslog with a socket of its own and a port for both protocols; what it takes stands in `out`. */
function startRsyslog(): Promise<RunningServer> {
  return startServer({
    program: 'rsyslogd',
    ports: 1,
    prepare: ({ directory, ports }) => writeFile(join(directory, 'rsyslog.conf'), config(directory, ports)),
    args: ({ directory }) => ['-n', '-C', '-f', join(directory, 'rsyslog.conf'), '-i', join(directory, 'pid')],
    isReady: async ({ directory }) => statSync(join(directory, 'log'), { throwIfNoEntry: false })?.isSocket() === true,
  })
}

function config(directory: string, [port]: readonly number[]): string {
  return `$WorkDirectory ${directory}
$EscapeControlCharactersOnReceive on
global(maxMessageSize="16k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${directory}/log" CreatePath="off")
module(load="imudp")
input(type="imudp" port="${port}" address="127.0.0.1")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text% %app-name%[%procid%]:%msg:::sp-if-no-1st-sp%%msg%\\n")
*.* action(type="omfile" file="${directory}/out" template="t")
`
}

describe('the syslog destination with rsyslog', function () {
  this.timeout(60_000)
  let server: RunningServer | undefined
  let complaints: string[] = []
  before(async function () {
    needs(this, 'rsyslogd')
    server = await startRsyslog()
  })
  after(() => server?.stop())
  beforeEach(() => {
    complaints = []
  })

  const path = (name: string): string => join(server?.directory ?? '', name)
  const ways: Readonly<Record<string, () => readonly string[]>> = {
    'its local socket': () => ['--socket', path('log')],
    'RFC 5424 over UDP': () => ['--rfc5424', '--udp', '--server', '127.0.0.1', '--port', String(server?.ports[0])],
    'RFC 5424 over TCP': () => [
      '--rfc5424',
      '--tcp',
      '--octet-count',
      '--server',
      '127.0.0.1',
      '--port',
      String(server?.ports[0]),
    ],
  }
  const taken = (mark: string): string[] => {
    const text = existsSync(path('out')) ? readFileSync(path('out'), 'utf8') : ''
    return text.split('\n').filter((each) => each.includes(mark))
  }
  const send = async (way: string, lines: readonly Line[], format?: (line: Line) => string): Promise<void> => {
    const command = ['logger', ...(ways[way]?.() ?? [])]
    const sink = openSyslogSink({
      facility: 'local0',
      pid: 4711,
      complain: (text) => complaints.push(text),
      command,
      ...(format === undefined ? {} : { format }),
    })
    for (const line of lines) sink.write(line)
    await sink.close()
  }

  for (const [n, way] of Object.keys(ways).entries()) {
    it(`gives ${way} facility, priority, tag and text as they are`, async () => {
      const mark = `mark ${n}`
      const texts = [`${mark} Deleted real server: 192.0.2.20:80 100%m %s $(reboot) \\n "quoted" é`, `${mark} fault`]
      await send(way, [
        { severity: 'warning', text: texts[0] ?? '', at: 0 },
        { severity: 'error', text: texts[1] ?? '', at: 0 },
      ])
      while (taken(mark).length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.deepEqual(taken(mark), [
        `local0.info ldirectord[4711]: ${texts[0]}`,
        `local0.err ldirectord[4711]: ${texts[1]}`,
      ])
      assert.deepEqual(complaints, [])
    })
  }

  it('gets one JSON object for each event with logformat = json', async () => {
    const event = { kind: 'drift', text: 'json mark\nsecond' } as const
    const line: Line = { severity: 'warning', text: 'IPVS table changed by others: json mark', at: 1_000, event }
    await send('its local socket', [line], (each) => jsonLine(each, { instance: 'a.cf', pid: 4711 }))
    while (taken('json mark').length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    const [text = ''] = taken('json mark')
    assert.equal(text.slice(0, text.indexOf('{')), 'local0.info ldirectord[4711]: ')
    assert.deepEqual(JSON.parse(text.slice(text.indexOf('{'))), {
      time: '1970-01-01T00:00:01.000Z',
      level: 'warning',
      pid: 4711,
      instance: 'a.cf',
      event: 'drift',
      message: 'IPVS table changed by others: json mark',
      text: 'json mark\nsecond',
    })
  })

  it('loses nothing of 2,000 lines at once through its local socket', async () => {
    const lines = Array.from({ length: 2000 }, (_, n): Line => ({ severity: 'info', text: `flood ${n}.`, at: 0 }))
    await send('its local socket', lines)
    while (taken('flood').length < 2000) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(taken('flood')[1999], 'local0.info ldirectord[4711]: flood 1999.')
    assert.deepEqual(complaints, [])
  })
})
