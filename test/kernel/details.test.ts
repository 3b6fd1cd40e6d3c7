import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, get, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { openKernelTable } from '../../src/backend/netlink/adapter.ts'
import type { IpvsTable, ServiceDetails } from '../../src/table/details.ts'
import { formatListing } from '../../src/table/listing.ts'
import { formatConnections, formatInfo, formatTimeouts } from '../../src/table/listing-kernel.ts'
import { formatRates, formatTotals } from '../../src/table/listing-traffic.ts'
import { never } from '../table/fixtures.ts'
import { eventually } from './lab/eventually.ts'

const run = promisify(execFile)
const ipvsadm = async (...args: string[]): Promise<string> => (await run('ipvsadm', args)).stdout
const must = (line: string): void => void execFileSync('bash', ['-e', '-c', line])

const lines = `
-A -t 10.9.0.1:80 -s rr -p 7300 -M 255.255.0.0
-a -t 10.9.0.1:80 -r 127.0.0.1:8080 -m -w 3 -x 1000 -y 500
-A -t [fd00::9]:80 -s rr -p 3600
-a -t [fd00::9]:80 -r [::1]:8080 -m -w 1
-A -u 10.9.0.1:53 -s sh -b sh-fallback,sh-port
-a -u 10.9.0.1:53 -r 127.0.0.1:5353 -m -w 1
-a -u 10.9.0.1:53 -r 10.9.0.9:53 -g -w 0
-A -f 7 -s rr -p 3600
-a -f 7 -r 127.0.0.1:0 -m -w 1
-A -u 10.9.0.1:5060 -s rr -p 3600 --pe sip
-a -u 10.9.0.1:5060 -r 127.0.0.1:5353 -m -w 1
-A -t 10.9.0.2:80 -s none
`

/** A director that is its own client and real server: packets over loopback are balanced too. */
describe('What the kernel counts, beside ipvsadm', function () {
  this.timeout(30_000)
  let table: IpvsTable
  let web: Server
  let names: UdpSocket
  let held: Socket
  before(async () => {
    must(`ip addr add 10.9.0.1/32 dev lo; ip addr add 10.9.0.2/32 dev lo; ip addr add fd00::9/128 dev lo nodad
      ipvsadm -C; ipvsadm -R <<< '${lines.trim()}'
      iptables-legacy -t mangle -A OUTPUT -d 10.9.0.2 -p tcp --dport 8080 -j MARK --set-mark 7`)
    table = await openKernelTable()
    web = createServer((request, response) => response.end(request.url === '/big' ? Buffer.alloc(2 << 20) : 'small'))
    // The connection that is held says nothing.
    web.headersTimeout = 0
    web.requestTimeout = 0
    await once(web.listen(8080, '::'), 'listening')
    names = createSocket('udp4')
    names.on('message', (message, from) => names.send(message, from.port, from.address))
    names.bind(5353)
    await once(names, 'listening')
    await traffic()
  })
  after(async () => {
    held.destroy()
    names.close()
    web.closeAllConnections()
    web.close()
    await table.close()
    must('ipvsadm -C; iptables-legacy -t mangle -F; ipvsadm --set 900 120 300')
  })

  const fetched = async (host: string, port: number, path = '/'): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const call = get({ host, port, path, agent: false }, (response) => response.resume().on('end', resolve))
      call.on('error', reject)
    })
  }
  const traffic = async (): Promise<void> => {
    for (let n = 0; n < 5; n += 1) await fetched('10.9.0.1', 80, n === 0 ? '/big' : '/')
    await fetched('fd00::9', 80)
    await fetched('10.9.0.2', 8080)
    held = connect(80, '10.9.0.1')
    await once(held, 'connect')
    const client = createSocket('udp4')
    const answered = once(client, 'message')
    client.send('who?', 53, '10.9.0.1')
    await answered
    const rung = once(client, 'message')
    client.send('INVITE sip:a@b SIP/2.0\r\nCall-ID: abc@def\r\n\r\n', 5060, '10.9.0.1')
    await rung
    client.close()
  }
  const services = async (): Promise<ServiceDetails[]> => [...(await table.details(never)).values()]

  /** Ours between two of theirs that agree: the kernel brings its numbers up to date between any two questions. */
  const agrees = (
    what: string,
    ours: () => Promise<string>,
    { theirs, enough }: { theirs: () => Promise<string>; enough: RegExp },
  ): Promise<void> => {
    let seen = ''
    const probe = async (): Promise<true | undefined> => {
      const before = await theirs()
      const mine = await ours()
      const after = await theirs()
      seen = `${mine}\ninstead of\n${after}`
      return before === after && mine === after && enough.test(mine) ? true : undefined
    }
    return eventually(what, probe, { withinMs: 20_000 }, () => seen).then(() => undefined)
  }

  it('tells the totals as ipvsadm --stats --exact, to the byte', async () => {
    const ours = async (): Promise<string> => formatInfo(await table.info(never)) + formatTotals(await services())
    const theirs = (): Promise<string> => ipvsadm('-L', '-n', '--stats', '--exact')
    // Two megabytes and more, both ways of the web, and each other service with its packet.
    await agrees('the totals', ours, { theirs, enough: /^TCP {2}10\.9\.0\.1:80 .* \d\d+ +2\d{6}$/m })
    const told = await table.details(never)
    assert.ok([...told.values()].filter(({ totals }) => totals.connections > 0).length === 5)
  })
  it('tells the rates as ipvsadm --rate --exact, to the byte', async () => {
    const ours = async (): Promise<string> => formatInfo(await table.info(never)) + formatRates(await services())
    const busy = setInterval(() => fetched('10.9.0.1', 80).catch(() => undefined), 50)
    try {
      const theirs = (): Promise<string> => ipvsadm('-L', '-n', '--rate', '--exact')
      await agrees('the rates', ours, { theirs, enough: /^TCP {2}10\.9\.0\.1:80( +[1-9]\d*){5}$/m })
    } finally {
      clearInterval(busy)
    }
  })
  it('lists every service with its connections as ipvsadm -Ln, to the byte', async () => {
    const ours = async (): Promise<string> => formatInfo(await table.info(never)) + formatListing(await services())
    await agrees('the listing', ours, { theirs: () => ipvsadm('-L', '-n'), enough: / Masq {4}3 {6}1 / })
  })
  it('tells the persistent clients as ipvsadm --persistent-conn', async () => {
    const listed = await ipvsadm('-L', '-n', '--persistent-conn')
    const theirs = [...listed.matchAll(/^ {2}-> \S+ +\d+ +(\d+)/gm)].map(([, count]) => Number(count)).sort()
    const ours = (await services()).flatMap(({ destinations }) =>
      [...destinations.values()].map(({ persistentConnections }) => persistentConnections),
    )
    assert.deepEqual(ours.sort(), theirs)
    assert.equal(theirs.filter((count) => count === 1).length, 4)
  })
  it('lists the connections as ipvsadm -lnc, all but the time that is left', async () => {
    const untimed = (text: string): string => text.replace(/^(\w+ +)\d+:\d\d */gm, '$1')
    const ours = async (): Promise<string> => {
      const { connections, isCut } = await table.connections({ limit: 1000 }, never)
      assert.equal(isCut, false)
      return untimed(formatConnections(connections))
    }
    const theirs = async (): Promise<string> => untimed(await ipvsadm('-L', '-n', '-c'))
    await agrees('the connections', ours, { theirs, enough: /^TCP +ESTABLISHED 10\.9\.0\.1:\d+ +10\.9\.0\.1:80 /m })
  })
  it('tells how long a connection has left, by minutes and seconds as ipvsadm', async () => {
    const left = (listing: string): number => {
      const [, minutes, seconds] = /^TCP (12\d):(\d\d) ASSURED +10\.9\.0\.0:0 /m.exec(listing) ?? assert.fail(listing)
      return Number(minutes) * 60 + Number(seconds)
    }
    const before = left(await ipvsadm('-L', '-n', '-c'))
    const { connections } = await table.connections({ limit: 1000 }, never)
    const ours = left(formatConnections(connections))
    const after = left(await ipvsadm('-L', '-n', '-c'))
    assert.ok(before >= ours && ours >= after, `${before}, ${ours}, ${after}`)
  })
  it('tells the engine of a template, and what it knows the client by', async () => {
    const accepts = ({ engine }: { engine: unknown }): boolean => engine !== undefined
    const { connections } = await table.connections({ limit: 10, accepts }, never)
    assert.deepEqual(
      connections.map(({ protocol, engine, client }) => [protocol, engine, client.port]),
      [['udp', { name: 'sip', data: 'abc@def' }, 0]],
    )
  })
  it('tells a template of a mark, its virtual address the mark', async () => {
    const { connections } = await table.connections({ limit: 10, accepts: ({ protocol }) => protocol === 'ip' }, never)
    assert.deepEqual(
      connections.map(({ virtual }) => virtual),
      [{ address: '0.0.0.7', port: 0 }],
    )
  })
  it('gives no more connections than were asked for', async () => {
    const { connections, isCut } = await table.connections({ limit: 2 }, never)
    assert.deepEqual([connections.length, isCut], [2, true])
  })
  it('tells and sets the time-outs as ipvsadm --timeout tells and --set sets them', async () => {
    const timeouts = async (): Promise<string> => formatTimeouts(await table.timeouts(never))
    assert.equal(await timeouts(), await ipvsadm('-L', '--timeout'))
    await ipvsadm('--set', '7200', '60', '30')
    assert.equal(await timeouts(), 'Timeout (tcp tcpfin udp): 7200 60 30\n')
    await table.setTimeouts({ tcp: 1234, tcpFin: 0, udp: 31 }, never)
    assert.equal(await ipvsadm('-L', '--timeout'), 'Timeout (tcp tcpfin udp): 1234 60 31\n')
    assert.equal(await timeouts(), await ipvsadm('-L', '--timeout'))
  })
})
