import { join } from 'node:path'
import type { Site } from './harness.ts'

/** A self-signed certificate in the server's directory, valid for a name and both loopback addresses. */
export async function makeCertificate(site: Site): Promise<{ key: string; cert: string }> {
  const key = join(site.directory, 'key.pem')
  const cert = join(site.directory, 'cert.pem')
  const names = 'subjectAltName=DNS:www.example.test,DNS:localhost,IP:127.0.0.1,IP:::1'
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
  await site.run('openssl', [
    ...['req', '-x509', ...newKey, '-out', cert, '-days', '30', '-subj', '/CN=www.example.test', '-addext', names],
  ])
  return { key, cert }
}
