import assert from 'node:assert/strict'
import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { https } from '../../checks/https.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { plainTlsSettings, type TlsSettings } from '../../src/check/tls-fields.ts'
import { type Authority, makeAuthority } from '../check/authority.ts'
import { verdictOf } from '../checks/probing.ts'
import { patternOf } from '../checks/web.ts'
import { type RunningServer, type Site, startServer } from './harness.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

interface Given {
  readonly port: number
  readonly virtualhost?: string
  readonly receive?: string
  readonly tls?: Partial<TlsSettings>
}

/** Name, as a file of the server's directory, and what the certificate is for. */
const certificates = {
  www: ['DNS:www.example.test', 100],
  shop: ['DNS:shop.example.test', 100],
  old: ['DNS:www.example.test', -1],
} as const

/** Copies of what the authority issues, where the server's account can read them. */
async function install({ directory }: Site, authority: Authority): Promise<void> {
  const put = async (from: string, name: string): Promise<void> => {
    await copyFile(from, join(directory, name))
    await chmod(join(directory, name), 0o644)
  }
  await put(authority.caFile, 'ca.pem')
  for (const [name, [names, days]] of Object.entries(certificates)) {
    const { keyFile, certFile } = authority.issue(names, days)
    await put(keyFile, `${name}.key`)
    await put(certFile, `${name}.pem`)
  }
}

async function probe(ask: ReturnType<typeof asking>, { port, virtualhost, receive, tls }: Given) {
  const steps: string[] = []
  const given = { ...plainTlsSettings, ...tls, virtualhost, request: makeRequest('/', false) }
  const options = { ...given, receive: receive === undefined ? undefined : patternOf(receive) }
  const result = await ask({ check: https, port, options, trace: (note) => steps.push(note) })
  return { result, verdict: verdictOf(result), steps: steps.join('\n') }
}

describe('https against a real nginx', function () {
  this.timeout(60_000)
  const ask = asking('nginx', 'nginx')
  let authority: Authority | undefined
  let foreign: Authority | undefined
  let server: RunningServer | undefined
  before(async function () {
    needs(this, 'nginx', 'openssl')
    authority = makeAuthority()
    foreign = makeAuthority()
    server = await startNginx(authority)
  })
  after(async () => {
    await server?.stop()
    authority?.remove()
    foreign?.remove()
  })

  const [byName, expired, guarded] = [0, 1, 2].map((index) => () => server?.ports[index] ?? 0) as [
    () => number,
    () => number,
    () => number,
  ]
  const ours = (): Partial<TlsSettings> => ({ tlsverify: true, tlsca: authority?.caFile })
  const www = 'www.example.test'

  it('up: the certificate is of a known authority and for the virtual host', async () => {
    const { verdict, result } = await probe(ask, { port: byName(), virtualhost: www, tls: ours() })
    assert.equal(verdict, 'up', result.detail)
  })

  it('sends the name of the virtual host, or checksni in its place, and gets the certificate of that name', async () => {
    const shop = 'shop.example.test'
    for (const [virtualhost, checksni, receive] of [
      [www, undefined, '^site=www sni=www\\.example\\.test host=www\\.example\\.test$'],
      [shop, undefined, '^site=shop sni=shop\\.example\\.test host=shop\\.example\\.test$'],
      [www, shop, 'sni=shop\\.example\\.test host=www\\.example\\.test$'],
    ] as const) {
      const { verdict, result } = await probe(ask, {
        port: byName(),
        virtualhost,
        receive,
        tls: { ...ours(), checksni },
      })
      assert.equal(verdict, 'up', result.detail)
    }
  })

  it('a name that the certificate does not have: reported, and down tls with tlsverify', async () => {
    const asked = { port: byName(), virtualhost: 'other.example.test' }
    const lax = await probe(ask, asked)
    assert.equal(lax.verdict, 'up', lax.result.detail)
    assert.match(lax.steps, /is not other\.example\.test/)
    const strict = await probe(ask, { ...asked, tls: ours() })
    assert.equal(strict.verdict, 'down tls')
    assert.match(strict.result.detail, /^certificate not accepted: .*not for other\.example\.test/)
  })

  it('an authority that nobody knows: reported, and down tls with tlsverify', async () => {
    const asked = { port: byName(), virtualhost: www }
    const tls = { tlsverify: true, tlsca: foreign?.caFile }
    const lax = await probe(ask, { ...asked, tls: { ...tls, tlsverify: false } })
    assert.equal(lax.verdict, 'up', lax.result.detail)
    assert.equal((await probe(ask, { ...asked, tls })).verdict, 'down tls')
  })

  it('a certificate that has expired: reported, and down tls with tlsverify', async () => {
    const asked = { port: expired(), virtualhost: www }
    const lax = await probe(ask, asked)
    assert.equal(lax.verdict, 'up', lax.result.detail)
    assert.match(lax.steps, /expired/)
    const strict = await probe(ask, { ...asked, tls: ours() })
    assert.equal(strict.verdict, 'down tls')
    assert.match(strict.result.detail, /^certificate not accepted: .*expired/)
  })

  it('a certificate of ours is asked for: up with it, down protocol with none and with a stranger', async () => {
    const own = authority?.issue('DNS:director')
    const stranger = foreign?.issue('DNS:director')
    const probeAs = (issued: typeof own) =>
      probe(ask, { port: guarded(), virtualhost: www, tls: { tlscert: issued?.certFile, tlskey: issued?.keyFile } })
    const good = await probeAs(own)
    assert.equal(good.verdict, 'up', good.result.detail)
    for (const issued of [undefined, stranger]) {
      const bad = await probeAs(issued)
      // nginx accepts the handshake and then answers 400
      assert.equal(bad.verdict, 'down protocol')
      assert.match(bad.result.detail, /HTTP 400/)
    }
  })
})

describe('https against a real OpenSSL server that wants a certificate', function () {
  this.timeout(60_000)
  const ask = asking('OpenSSL s_server', 'openssl')
  let authority: Authority | undefined
  let foreign: Authority | undefined
  before(function () {
    needs(this, 'openssl')
    authority = makeAuthority()
    foreign = makeAuthority()
  })
  after(() => {
    authority?.remove()
    foreign?.remove()
  })

  for (const [version, none] of [
    ['tls1_2', /^sslv3 alert handshake failure while in the TLS handshake$/],
    ['tls1_3', /^tlsv13 alert certificate required while/],
  ] as const) {
    it(`over ${version}: up with the right one, down tls with none and with a stranger`, async () => {
      assert.ok(authority !== undefined && foreign !== undefined)
      const own = authority.issue('DNS:director')
      const stranger = foreign.issue('DNS:director')
      const server = await startOpenssl(authority, version)
      try {
        const [port = 0] = server.ports
        const probeAs = (issued: typeof own | undefined) =>
          probe(ask, { port, tls: { tlscert: issued?.certFile, tlskey: issued?.keyFile } })
        assert.equal((await probeAs(own)).verdict, 'up')
        for (const [issued, words] of [
          [undefined, none],
          [stranger, /^tlsv1 alert unknown ca while/],
        ] as const) {
          const { verdict, result } = await probeAs(issued)
          assert.equal(verdict, 'down tls', result.detail)
          assert.match(result.detail, words)
        }
      } finally {
        await server.stop()
      }
    })
  }
})

async function startNginx(authority: Authority): Promise<RunningServer> {
  return await startServer({
    program: 'nginx',
    ports: 3,
    prepare: async (site) => {
      await install(site, authority)
      await writeFile(join(site.directory, 'nginx.conf'), nginxConfig(site))
    },
    args: ({ directory }) => ['-e', 'stderr', '-c', join(directory, 'nginx.conf')],
    isReady: ({ ports: [port = 0] }) => handshakes(port),
  })
}

function nginxConfig({ directory, ports: [byName, expired, guarded] }: Site): string {
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const site = (port: number | undefined, cert: string, name: string, more = ''): string => `
  server {
    listen 127.0.0.1:${port} ssl; server_name ${name}.example.test;
    ssl_certificate ${directory}/${cert}.pem; ssl_certificate_key ${directory}/${cert}.key; ${more}
    location / { return 200 "site=${name} sni=$ssl_server_name host=$host\\n"; }
  }`
  const guard = `ssl_verify_client on; ssl_client_certificate ${directory}/ca.pem;`
  return `
daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events { worker_connections 64; }
http {
  access_log off;
  ${own.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
  ${site(byName, 'www', 'www')} ${site(byName, 'shop', 'shop')}
  ${site(expired, 'old', 'www')} ${site(guarded, 'www', 'www', guard)}
}
`
}

async function startOpenssl(authority: Authority, version: 'tls1_2' | 'tls1_3'): Promise<RunningServer> {
  return await startServer({
    program: 'openssl',
    ports: 1,
    prepare: (site) => install(site, authority),
    args: ({ directory, ports: [port] }) => [
      ...['s_server', '-accept', `127.0.0.1:${port}`, `-${version}`, '-www', '-quiet'],
      ...['-cert', join(directory, 'www.pem'), '-key', join(directory, 'www.key')],
      ...['-CAfile', join(directory, 'ca.pem'), '-Verify', '1', '-verify_return_error'],
    ],
    isReady: ({ ports: [port = 0] }) => handshakes(port),
  })
}

/** The server speaks TLS, whether or not it likes us. */
function handshakes(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    const settle = (isReady: boolean): void => {
      socket.destroy()
      resolve(isReady)
    }
    socket.once('secureConnect', () => settle(true))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(/^ERR_SSL_/.test(error.code ?? '')))
  })
}
