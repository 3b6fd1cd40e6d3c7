import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, startServer } from './harness.ts'
import type { Program } from './needs.ts'
import { greets } from './talk.ts'

export const eximPrograms: readonly Program[] = ['exim4', 'openssl']

export interface Exim extends RunningServer {
  /** Both offer STARTTLS. */
  readonly smtpPort: number
  readonly submissionPort: number
}

/** Exim on both loopback families. The files `refuse-clients` and `refuse-names` in its directory make it refuse those. */
export async function startExim(): Promise<Exim> {
  const server = await startServer({
    program: 'exim4',
    ports: 2,
    prepare: async (site) => {
      const certificate = await makeCertificate(site)
      const account = await site.run('env', ['id', '-un'])
      const group = await site.run('env', ['id', '-gn'])
      for (const name of ['spool', 'log']) await site.run('env', ['mkdir', join(site.directory, name)])
      const names = { user: account.trim(), group: group.trim() }
      await writeFile(
        join(site.directory, 'exim.conf'),
        config(site.directory, site.ports, { ...certificate, ...names }),
      )
    },
    args: ({ directory }) => ['-C', join(directory, 'exim.conf'), '-bdf', '-q1h'],
    isReady: async ({ ports }) =>
      (
        await Promise.all(ports.flatMap((port) => ['127.0.0.1', '::1'].map((host) => greets(host, port, '220 '))))
      ).every(Boolean),
  })
  const [smtpPort = 0, submissionPort = 0] = server.ports
  return { ...server, smtpPort, submissionPort }
}

interface Names {
  readonly cert: string
  readonly key: string
  readonly user: string
  readonly group: string
}

function config(directory: string, ports: readonly number[], { cert, key, user, group }: Names): string {
  return `primary_hostname = mail.example.test
spool_directory = ${directory}/spool
log_file_path = ${directory}/log/%slog
pid_file_path = ${directory}/pid
exim_user = ${user}
exim_group = ${group}
never_users =
deliver_drop_privilege
local_interfaces = <; 127.0.0.1 ; ::1
daemon_smtp_ports = ${ports.join(' : ')}
host_lookup =
rfc1413_hosts =
keep_environment =
tls_advertise_hosts = *
tls_certificate = ${cert}
tls_privatekey = ${key}
auth_advertise_hosts = *
acl_smtp_connect = acl_connect
acl_smtp_helo = acl_helo
queue_only
begin acl
acl_connect:
  deny condition = \${if exists{${directory}/refuse-clients}}
       message = no clients today
  accept
acl_helo:
  deny condition = \${if exists{${directory}/refuse-names}}
       message = no such name
  accept
`
}
