import { join } from 'node:path'
import type { Case, Outcome } from './beside-perl.ts'
import { startDovecot } from './dovecot.ts'
import { startExim } from './exim.ts'
import { startFreeradius } from './freeradius.ts'
import type { RunningServer } from './harness.ts'
import { startKamailio } from './kamailio.ts'
import { startMariadb } from './mariadb.ts'
import { startDnsmasq } from './name-servers.ts'
import { whyNoNamespace } from './namespace.ts'
import { startNginx } from './nginx.ts'
import { startNnrpd } from './nnrpd.ts'
import { alter, casesOf, foundDown, foundUp, silent, untrusted } from './perl-states.ts'
import { startPostgres } from './postgres.ts'
import { startProftpd } from './proftpd.ts'
import { startTinyproxy } from './proxies.ts'
import { startSlapd } from './slapd.ts'
import { standardPorts, startDovecotOnStandardPorts } from './standard-ports.ts'

export interface Compared {
  readonly server: Readonly<Record<'freeze' | 'thaw' | 'kill' | 'stop', () => void | Promise<void>>>
  readonly cases: readonly Case[]
  /** Where the server is in a network of its own; else `compare` of beside-perl.ts. */
  readonly compare?: (asked: Case) => Promise<Outcome>
}

const noLimit = 'D26: Perl ldirectord sets no time limit'
const ownPort = 'D28: Perl ldirectord ignores the port of the real server'
const unexamined = 'D10, D29: without `receive` Perl ldirectord looks at nothing'

const certificateOf = ({ directory }: RunningServer): string => join(directory, 'cert.pem')
const login = ['login = "probe"', 'passwd = "secret"']
const wrongPassword = 'passwd = "wrong"'
const otherText = 'receive = "Quite dead"'

async function web(): Promise<Compared[]> {
  const [server, proxy] = await Promise.all([startNginx(), startTinyproxy()])
  const page = ['request = "/alive"', 'receive = "Still alive"']
  const certificate = certificateOf(server)
  const secure = casesOf({
    ...{ service: 'https', port: server.httpsPort, lines: ['request = "/"', 'receive = "host="'] },
    ...{ content: otherText, certificate },
  })
  const plain = { port: server.httpPort, content: otherText }
  const raw = ['request = "GET /alive HTTP/1.0\\n\\n"', 'receive = "Still alive"']
  const viaProxy = [`request = "http://127.0.0.1:${server.httpPort}/alive"`, 'receive = "Still alive"']
  const proxied = casesOf({ service: 'http_proxy', port: proxy.port, lines: viaProxy, content: otherText })
  return [
    {
      server,
      cases: [
        ...casesOf({ service: 'http', ...plain, lines: page }),
        ...secure,
        ...untrusted(secure[0]),
        ...casesOf({ service: 'simpletcp', ...plain, lines: raw }),
        ...casesOf({ service: 'connect', port: server.httpPort, frozenIsUp: true }),
        ...commands(server.httpPort),
      ],
    },
    { server: proxy, cases: proxied },
  ]
}

/** External commands: no server to ask, but the same rule about what counts. */
function commands(port: number): Case[] {
  const make = (state: string, command: string, ours: Case['ours']): Case => {
    const lines = ['checktype = external', `checkcommand = "${command}"`]
    return { service: 'external', state, phase: 'serving', port, lines, ours }
  }
  return [
    make('exit status 0', '/bin/true', 'up'),
    make('exit status 1', '/bin/false', 'down'),
    { ...make('dies of a signal', '@DIR@/dies', 'down'), differs: foundUp('D32: what dies has not succeeded') },
  ]
}

async function databases(): Promise<Compared[]> {
  const [mariadb, postgres] = await Promise.all([startMariadb(), startPostgres()])
  const lines = [...login, 'database = "ldirectord"', 'request = "SELECT * FROM alive"']
  const about = { lines, credentials: wrongPassword, content: 'request = "SELECT * FROM empty"' }
  const differs = { stopped: silent(noLimit) }
  return [
    { server: mariadb, cases: casesOf({ service: 'mysql', port: mariadb.port, ...about, differs }) },
    { server: postgres, cases: casesOf({ service: 'pgsql', port: postgres.port, ...about, differs }) },
  ]
}

async function directory(): Promise<Compared[]> {
  const server = await startSlapd()
  const name = 'cn=probe,dc=example,dc=test'
  const lines = [`login = "${name}"`, 'passwd = "secret"', `request = "${name}"`, 'receive = "^cn=probe"']
  const about = { lines, credentials: wrongPassword, content: otherText }
  const plain = casesOf({ service: 'ldap', port: server.ldapPort, ...about })
  return [{ server, cases: [...plain, ...casesOf({ service: 'ldaps', port: server.ldapsPort, ...about })] }]
}

async function mailboxesOnFreePorts(): Promise<Compared[]> {
  const server = await startDovecot({ mechanisms: 'plain login', onlySecure: false })
  const certificate = certificateOf(server)
  const about = { lines: login, credentials: wrongPassword }
  const unheard = { stopped: silent(noLimit) }
  const pop = casesOf({ service: 'pop', port: server.popPort, ...about, differs: unheard })
  const pops = casesOf({ service: 'pops', port: server.popsPort, ...about, certificate })
  const imap = casesOf({ service: 'imap', port: server.imapPort, ...about })
  const imaps = casesOf({ service: 'imaps', port: server.imapsPort, ...about, certificate })
  const elsewhere = { state: 'up, on a port of its own', differs: foundDown(ownPort) }
  return [
    {
      server,
      cases: [
        ...alter(imap[0], elsewhere),
        ...alter(imaps[0], elsewhere),
        ...pop,
        ...alter(pop.at(-1), {
          state: 'killed, without a login',
          lines: ['service = pop'],
          differs: foundUp('D27: without a login Perl ldirectord finds every server up'),
        }),
        ...pops,
        ...untrusted(pops[0]),
      ],
    },
  ]
}

/** At the ports where Perl ldirectord looks. */
async function mailboxesOnStandardPorts(): Promise<Compared[]> {
  if (whyNoNamespace() !== undefined) return []
  const server = await startDovecotOnStandardPorts()
  const { certificate } = server
  const about = { lines: login, credentials: wrongPassword }
  const imaps = casesOf({ service: 'imaps', port: standardPorts.imaps, ...about, certificate })
  return [
    {
      server,
      compare: server.compare,
      cases: [...casesOf({ service: 'imap', port: standardPorts.imap, ...about }), ...imaps, ...untrusted(imaps[0])],
    },
  ]
}

async function files(): Promise<Compared[]> {
  const server = await startProftpd()
  const lines = [...login, `request = "${server.root}alive.txt"`]
  const wanted = ['receive = "Still alive"']
  const about = { service: 'ftp', port: server.port, credentials: wrongPassword, content: otherText }
  const blind = { ...about, lines: ['service = ftp', ...lines], ours: 'down', differs: foundUp(unexamined) } as const
  const cases: Case[] = [
    ...casesOf({ ...about, lines: [...lines, ...wanted] }),
    { ...blind, lines: [...blind.lines, wrongPassword], phase: 'serving', state: 'wrong credentials, without receive' },
    { ...blind, phase: 'killed', state: 'killed, without receive' },
  ]
  return [{ server, cases }]
}

async function mail(): Promise<Compared[]> {
  const server = await startExim()
  const submission = casesOf({ service: 'submission', port: server.submissionPort })
  return [{ server, cases: [...casesOf({ service: 'smtp', port: server.smtpPort }), ...submission] }]
}

async function names(): Promise<Compared[]> {
  const server = await startDnsmasq()
  const asked = ['protocol = udp', 'request = "alive.example.test"']
  const about = { service: 'dns', port: server.port, content: 'receive = "203\\.0\\.113\\.1"' }
  const cases = casesOf({ ...about, lines: [...asked, 'receive = "192\\.0\\.2\\.10"'] })
  const any = { state: 'up, without receive', lines: ['service = dns', ...asked] }
  const why = 'D34: without `receive` any answer with data will do'
  return [{ server, cases: [...cases, ...alter(cases[0], { ...any, differs: foundDown(why) })] }]
}

async function news(): Promise<Compared[]> {
  const server = await startNnrpd('127.0.0.1')
  return [{ server, cases: casesOf({ service: 'nntp', port: server.port }) }]
}

async function accounting(): Promise<Compared[]> {
  const [server, hardened] = await Promise.all([startFreeradius({ lenient: true }), startFreeradius()])
  const lines = ['protocol = udp', ...login, 'secret = "testing123"']
  const about = { service: 'radius', lines, credentials: wrongPassword }
  const cases = casesOf({ ...about, port: server.port })
  const unsigned = foundDown('D42: Perl ldirectord sends no Message-Authenticator')
  const otherSecret = {
    state: 'wrong secret',
    lines: ['service = radius', ...lines, 'secret = "other"'],
    ours: 'down',
  } as const
  const strict = { state: 'up, wants signed requests', port: hardened.port, differs: unsigned }
  return [
    { server, cases: [...cases, ...alter(cases[0], otherSecret)] },
    { server: hardened, cases: alter(cases[0], strict) },
  ]
}

async function telephony(): Promise<Compared[]> {
  const server = await startKamailio()
  const about = { service: 'sip', port: server.port, lines: ['protocol = udp', 'login = "probe@localhost"'] }
  const cases = casesOf({ ...about, credentials: 'login = "locked@localhost"', content: 'login = "busy@localhost"' })
  const over = (protocol: string, user: string): string[] => [
    'service = sip',
    `protocol = ${protocol}`,
    `login = "${user}@localhost"`,
  ]
  const waits = foundDown('D41: Perl ldirectord looks at the first answer only')
  return [
    {
      server,
      cases: [
        ...cases,
        ...alter(cases[0], { state: 'up, over TCP', lines: over('tcp', 'probe') }),
        ...alter(cases[0], { state: 'up, after a provisional answer', lines: over('udp', 'slow'), differs: waits }),
      ],
    },
  ]
}

type Start = () => Promise<Compared[]>

const starts: readonly (readonly [start: Start, services: readonly string[]])[] = [
  [web, ['connect', 'external', 'http', 'http_proxy', 'https', 'simpletcp']],
  [databases, ['mysql', 'pgsql']],
  [directory, ['ldap', 'ldaps']],
  [mailboxesOnStandardPorts, ['imap', 'imaps']],
  [mailboxesOnFreePorts, ['imap', 'imaps', 'pop', 'pops']],
  [files, ['ftp']],
  [mail, ['smtp', 'submission']],
  [names, ['dns']],
  [news, ['nntp']],
  [accounting, ['radius']],
  [telephony, ['sip']],
]

/**
 * Starts all that serve one of these services, or every one, at once. Those that did come up are given to `started` even
 * if another did not.
 */
export async function startCompared(started: (each: Compared) => void, wanted?: readonly string[]): Promise<void> {
  const chosen = starts.filter(([, services]) => services.some((service) => wanted?.includes(service) ?? true))
  const results = await Promise.allSettled(chosen.map(([start]) => start()))
  // In the order of the list, whichever was there first.
  for (const result of results) if (result.status === 'fulfilled') result.value.forEach(started)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
