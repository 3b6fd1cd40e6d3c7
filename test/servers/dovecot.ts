import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, startServer } from './harness.ts'
import type { Program } from './needs.ts'
import { greets } from './talk.ts'

export const dovecotPrograms: readonly Program[] = ['dovecot', 'openssl']

export interface Dovecot extends RunningServer {
  /** STARTTLS too. */
  readonly imapPort: number
  readonly imapsPort: number
  /** STLS too. */
  readonly popPort: number
  readonly popsPort: number
}

export interface DovecotSettings {
  /** Words of `auth_mechanisms`. */
  readonly mechanisms: string
  /** No password is taken on a plain connection. */
  readonly onlySecure: boolean
  /** Of imap, imaps, pop and pops, in place of free ones. */
  readonly ports?: readonly number[]
}

/** Dovecot on both loopback families: any user, password `secret`; a wrong one is answered after two seconds. */
export async function startDovecot(settings: DovecotSettings): Promise<Dovecot> {
  const server = await startServer({
    program: 'dovecot',
    ports: settings.ports ?? 4,
    prepare: async (site) => {
      const { directory, ports, run } = site
      const certificate = await makeCertificate(site)
      const [user = '', group = '', uid = '', gid = ''] = await Promise.all(
        ['-un', '-gn', '-u', '-g'].map(async (option) => (await run('env', ['id', option])).trim()),
      )
      await run('env', ['mkdir', ...['run', 'state', 'mail'].map((name) => join(directory, name))])
      const text = config({ directory, ...certificate, user, group, uid, gid, ...settings, ports })
      await writeFile(join(directory, 'dovecot.conf'), text)
    },
    args: ({ directory }) => ['-F', '-c', join(directory, 'dovecot.conf')],
    isReady: async ({ ports: [imap = 0, , pop = 0] }) =>
      (await greets('127.0.0.1', imap, '* OK')) && (await greets('127.0.0.1', pop, '+OK')),
  })
  const [imapPort = 0, imapsPort = 0, popPort = 0, popsPort = 0] = server.ports
  return { ...server, imapPort, imapsPort, popPort, popsPort }
}

type Names = Readonly<Record<'directory' | 'cert' | 'key' | 'user' | 'group' | 'uid' | 'gid', string>> &
  DovecotSettings & { readonly ports: readonly number[] }

function config({ directory, ports, cert, key, user, group, uid, gid, mechanisms, onlySecure }: Names): string {
  const [imap, imaps, pop, pops] = ports
  return `base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/log
protocols = imap pop3
# a client on the same address counts as secure; one that comes from 127.0.0.1 to 127.0.0.2 does not
listen = 127.0.0.1, 127.0.0.2, ::1
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 0
ssl = yes
ssl_cert = <${cert}
ssl_key = <${key}
disable_plaintext_auth = ${onlySecure ? 'yes' : 'no'}
auth_mechanisms = ${mechanisms}
mail_location = maildir:${directory}/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${directory}/mail/%u
}
service anvil {
  chroot =
  # else every wrong password makes all later logins of this address wait longer
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = ${pop}
  }
  inet_listener pop3s {
    port = ${pops}
    ssl = yes
  }
}
`
}
