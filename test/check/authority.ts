import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A key and its certificate, as files and as what `node:tls` takes. */
export interface Issued {
  readonly keyFile: string
  readonly certFile: string
  readonly key: Buffer
  readonly cert: Buffer
}

/** A certificate authority of a test's own, made by the openssl program. */
export interface Authority {
  readonly directory: string
  readonly caFile: string
  /** `names` as in subjectAltName: `DNS:www.example.test,IP:127.0.0.1`; negative days for one that has expired. */
  issue(names: string, days?: number): Issued
  remove(): void
}

export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'ldirectord-ng-ca-'))
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const file = (name: string): string => join(directory, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const [caKey, caFile] = [file('ca.key'), file('ca.pem')]
  try {
    openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', caFile, '-days', '400', '-subj', '/CN=Test authority')
  } catch (error) {
    rmSync(directory, { recursive: true })
    throw error
  }
  let count = 0
  return {
    directory,
    caFile,
    issue: (names, days = 100) => {
      const name = `${++count}`
      const [keyFile, certFile, request] = [file(`${name}.key`), file(`${name}.pem`), file(`${name}.csr`)]
      openssl('req', ...newKey, '-keyout', keyFile, '-out', request, '-subj', '/CN=issued')
      writeFileSync(file('ext'), `subjectAltName=${names}\n`)
      const signer = ['-CA', caFile, '-CAkey', caKey, '-set_serial', name, '-extfile', file('ext')]
      openssl('x509', '-req', '-in', request, ...signer, '-days', `${days}`, '-out', certFile)
      return { keyFile, certFile, key: readFileSync(keyFile), cert: readFileSync(certFile) }
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
