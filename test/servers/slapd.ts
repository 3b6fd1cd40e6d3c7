import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, type Site, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const slapdPrograms: readonly Program[] = ['slapd', 'openssl']

export interface Slapd extends RunningServer {
  /** Plain, and STARTTLS. */
  readonly ldapPort: number
  readonly ldapsPort: number
}

/** OpenLDAP on both loopback families; `cn=probe,dc=example,dc=test`, password `secret`; anonymous may read. */
export async function startSlapd(): Promise<Slapd> {
  const server = await startServer({
    program: 'slapd',
    ports: 2,
    prepare: async (site) => {
      const { directory, run } = site
      const certificate = await makeCertificate(site)
      await writeFile(join(directory, 'slapd.conf'), config(directory, certificate))
      await writeFile(join(directory, 'seed.ldif'), seed)
      await run('slapd', ['-T', 'add', '-q', '-f', join(directory, 'slapd.conf'), '-l', join(directory, 'seed.ldif')])
    },
    args: ({ directory, ports: [plain, tls] }) => {
      const urls = ['127.0.0.1', '[::1]'].flatMap((host) => [`ldap://${host}:${plain}/`, `ldaps://${host}:${tls}/`])
      return ['-d', '0', '-f', join(directory, 'slapd.conf'), '-h', urls.join(' ')]
    },
    isReady: (site) => answersBind(site),
  })
  const [ldapPort = 0, ldapsPort = 0] = server.ports
  return { ...server, ldapPort, ldapsPort }
}

/** Message 1: an anonymous bind of version 3. */
const bind = Buffer.from('300c020101600702010304008000', 'hex')

function answersBind({ ports: [port = 0] }: Site): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bind))
    socket.once('error', reject)
    socket.once('close', () => resolve(false))
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
  })
}

function config(directory: string, { key, cert }: { key: string; cert: string }): string {
  return `
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${directory}/pid
argsfile ${directory}/args
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
access to attrs=userPassword by anonymous auth by * none
access to dn.base="cn=hidden,dc=example,dc=test" by users read by * none
access to * by * read
database mdb
maxsize 10485760
suffix "dc=example,dc=test"
directory ${directory}
`
}

const person = (name: string): string => `dn: cn=${name},dc=example,dc=test
objectClass: person
cn: ${name}
sn: ${name}
userPassword: secret
`

const seed = `dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: Example
dc: example

${['probe', 'hidden', 'what?now'].map(person).join('\n')}`
