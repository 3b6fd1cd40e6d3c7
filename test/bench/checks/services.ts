import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDovecot } from '../../servers/dovecot.ts'
import { type Compared, startCompared } from '../../servers/perl-cases.ts'
import { casesOf } from '../../servers/perl-states.ts'
import { standardPorts } from '../../servers/standard-ports.ts'

/** A healthy server and how both programs are to ask it. */
export interface Asked {
  readonly service: string
  readonly port: number
  /** Directives of the section. */
  readonly lines: readonly string[]
  /** Trusted by Perl's libraries. */
  readonly certificate?: string
  /** Perl ldirectord writes no line of it into a monitor file. */
  readonly isSilent?: boolean
}

/** Each service with its server, as Debian calls it: the name for people and the package. */
export const serverOf: Readonly<Record<string, readonly [name: string, debianPackage: string]>> = {
  connect: ['nginx', 'nginx'],
  dns: ['dnsmasq', 'dnsmasq-base'],
  external: ['`/bin/true`', ''],
  'external-perl': ['`exit 0`', ''],
  ftp: ['ProFTPD', 'proftpd-core'],
  http: ['nginx', 'nginx'],
  http_proxy: ['tinyproxy', 'tinyproxy'],
  https: ['nginx', 'nginx'],
  imap: ['Dovecot', 'dovecot-imapd'],
  imaps: ['Dovecot', 'dovecot-imapd'],
  ldap: ['OpenLDAP', 'slapd'],
  ldaps: ['OpenLDAP', 'slapd'],
  mysql: ['MariaDB', 'mariadb-server-core'],
  nntp: ['INN nnrpd', 'inn2'],
  pgsql: ['PostgreSQL', 'postgresql-15'],
  ping: ['the kernel', ''],
  pop: ['Dovecot', 'dovecot-imapd'],
  pops: ['Dovecot', 'dovecot-imapd'],
  radius: ['FreeRADIUS', 'freeradius'],
  simpletcp: ['nginx', 'nginx'],
  sip: ['Kamailio', 'kamailio'],
  smtp: ['Exim', 'exim4-daemon-light'],
  submission: ['Exim', 'exim4-daemon-light'],
}

export const allServices: readonly string[] = Object.keys(serverOf)

/** The servers, listening. */
export interface Site {
  readonly asked: readonly Asked[]
  stop(): Promise<void>
}

/** Starts the servers of these services; what the comparison of verdicts asks a healthy one is asked here too. */
export async function startSite(services: readonly string[], directory: string): Promise<Site> {
  const running: Compared[] = []
  const stop = async (): Promise<void> => void (await Promise.all(running.map(({ server }) => server.stop())))
  try {
    // In a namespace already: the ports where Perl ldirectord looks for imap are free here.
    const isMailbox = (service: string): boolean => service === 'imap' || service === 'imaps'
    const others = services.filter((service) => !isMailbox(service))
    await startCompared((each) => running.push(each), others)
    if (services.some(isMailbox)) running.push(await startMailboxes())
    const healthy = running
      .flatMap(({ cases }) => cases)
      .filter(({ state, differs }) => ['up', 'exit status 0'].includes(state) && differs === undefined)
    const all: Asked[] = [...healthy, ...commands(directory)]
    const inOrder = services.map((service) => all.find((each) => each.service === service))
    return { asked: inOrder.filter((each) => each !== undefined), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startMailboxes(): Promise<Compared> {
  const ports = [standardPorts.imap, standardPorts.imaps, 110, 995]
  const server = await startDovecot({ mechanisms: 'plain login', onlySecure: false, ports })
  const lines = ['login = "probe"', 'passwd = "secret"']
  const imap = casesOf({ service: 'imap', port: standardPorts.imap, lines })
  const certificate = join(server.directory, 'cert.pem')
  return { server, cases: [...imap, ...casesOf({ service: 'imaps', port: standardPorts.imaps, lines, certificate })] }
}

/** What asks no server. */
function commands(directory: string): Asked[] {
  const script = join(directory, 'up.pl')
  writeFileSync(script, 'exit 0;\n')
  return [
    { service: 'ping', port: 9, lines: ['checktype = ping'] },
    {
      ...{ service: 'external-perl', port: 9, isSilent: true },
      lines: ['checktype = external-perl', `checkcommand = "${script}"`],
    },
  ]
}
