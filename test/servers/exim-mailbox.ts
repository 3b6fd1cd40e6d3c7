import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, type Site, startServer } from './harness.ts'
import { greets } from './talk.ts'

/** Exim that takes mail for everybody and puts it into one file, each mail with its envelope. */
export interface EximMailbox extends RunningServer {
  readonly port: number
  readonly certificateFile: string
  /** A program that is called as sendmail is. */
  readonly sendmail: string
  /** Waits until so many deliveries, one for each recipient, are in the file; the test's time-out is the limit. */
  deliveries(count: number): Promise<readonly Delivered[]>
}

export interface Delivered {
  readonly recipient: string
  readonly sender: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly underTls: boolean
  readonly account: string
}

/** The recipient `unknown@…` is refused for good, `busy@…` for now. The login is `director` with `s3cret`. */
export async function startEximMailbox(): Promise<EximMailbox> {
  const server = await startServer({
    program: 'exim4',
    ports: 1,
    prepare: prepare,
    args: ({ directory }) => ['-C', join(directory, 'exim.conf'), '-bdf', '-q1h'],
    isReady: ({ ports }) => greets('127.0.0.1', ports[0] ?? 0, '220 '),
  })
  const mailbox = join(server.directory, 'mailbox')
  return {
    ...server,
    port: server.ports[0] ?? 0,
    certificateFile: join(server.directory, 'cert.pem'),
    sendmail: join(server.directory, 'sendmail'),
    deliveries: async (count) => {
      for (;;) {
        const all = deliveriesIn(await readFile(mailbox, 'utf8').catch(() => ''))
        if (all.length >= count) return all
        await delay(20)
      }
    },
  }
}

async function prepare(site: Site): Promise<void> {
  const { directory } = site
  const { cert, key } = await makeCertificate(site)
  const user = (await site.run('env', ['id', '-un'])).trim()
  const group = (await site.run('env', ['id', '-gn'])).trim()
  for (const name of ['spool', 'log']) await site.run('env', ['mkdir', join(directory, name)])
  await writeFile(join(directory, 'exim.conf'), config({ directory, port: site.ports[0] ?? 0, cert, key, user, group }))
  const program = `#!/bin/sh\nexec /usr/sbin/exim4 -C ${directory}/exim.conf -odi "$@"\n`
  await writeFile(join(directory, 'sendmail'), program, { mode: 0o755 })
}

interface Parts {
  readonly directory: string
  readonly port: number
  readonly cert: string
  readonly key: string
  readonly user: string
  readonly group: string
}

function config({ directory, port, cert, key, user, group }: Parts): string {
  return `primary_hostname = mail.example.test
qualify_domain = example.test
spool_directory = ${directory}/spool
log_file_path = ${directory}/log/%slog
pid_file_path = ${directory}/pid
exim_user = ${user}
exim_group = ${group}
never_users =
untrusted_set_sender = *
deliver_drop_privilege
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
host_lookup =
helo_lookup_domains =
rfc1413_hosts =
keep_environment =
tls_advertise_hosts = *
tls_certificate = ${cert}
tls_privatekey = ${key}
auth_advertise_hosts = *
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
  deny local_parts = unknown
       message = there is no such mailbox
  defer local_parts = busy
       message = try again later
  accept
begin routers
everybody:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  file = ${directory}/mailbox
  user = ${user}
  group = ${group}
  envelope_to_add
  return_path_add
  headers_add = X-Tls: \${if def:tls_in_cipher{yes}{no}}\\nX-Account: $authenticated_id
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{director}}{eq{$auth3}{s3cret}}}}
  server_set_id = $auth2
`
}

/** mbox: each begins with a line `From sender date`. */
function deliveriesIn(text: string): Delivered[] {
  const mails = text.split(/^From .*\n/m).slice(1)
  return mails.map((mail) => {
    const [head = '', ...body] = mail.split('\n\n')
    const lines = head.replace(/\n[ \t]+/g, ' ').split('\n')
    const headers = Object.fromEntries(lines.map((line) => /^([^:]+): ?(.*)$/.exec(line)?.slice(1) ?? ['', '']))
    return {
      recipient: headers['Envelope-to'] ?? '',
      sender: (headers['Return-path'] ?? '').replace(/[<>]/g, ''),
      headers,
      body: body.join('\n\n'),
      underTls: headers['X-Tls'] === 'yes',
      account: headers['X-Account'] ?? '',
    }
  })
}
