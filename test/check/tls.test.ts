import assert from 'node:assert/strict'
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { https } from '../../checks/https.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { makeProbe } from '../../src/check/probe.ts'
import { plainTlsSettings, starttls, type TlsSettings, tlsFields } from '../../src/check/tls-fields.ts'
import { collectDiagnostics } from '../../src/lib/diagnostics.ts'
import type { Directive } from '../../src/lib/fields.ts'
import {
  askWeb,
  handlesClosed,
  makeCertificate,
  openSockets,
  page,
  redirect,
  startWeb,
  verdictOf,
} from '../checks/web.ts'
import { type Authority, type Issued, makeAuthority } from './authority.ts'

const name = 'www.example.test'

describe('TLS', () => {
  let authority: Authority
  let good: Issued
  let served: Record<string, { key: Buffer; cert: Buffer }>
  before(() => {
    authority = makeAuthority()
    good = authority.issue(`DNS:${name},DNS:*.wild.example.test,IP:127.0.0.1,IP:::1`)
    served = {
      good,
      ending: authority.issue(`DNS:${name}`, 5),
      expired: authority.issue(`DNS:${name}`, -1),
      other: authority.issue('DNS:other.example.test'),
      own: makeCertificate(name),
    }
  })
  after(() => authority.remove())

  interface Row {
    readonly title: string
    readonly server: string
    readonly tls?: Partial<TlsSettings>
    readonly virtualhost?: string
    /** Without tlsca no authority of the test's is known. */
    readonly unknownAuthority?: true
    readonly verdict: string
    readonly steps: RegExp
    readonly detail?: RegExp
    readonly warnings?: RegExp
  }
  const verify = { tlsverify: true }
  const virtualhost = name
  const trusted = /its chain: trusted; its name: is www\.example\.test/
  const ownChain = /its chain: self-signed certificate; its name: is www\.example\.test/
  const rows: readonly Row[] = [
    { title: 'a good one', server: 'good', virtualhost, verdict: 'up', steps: trusted },
    { title: 'a good one', server: 'good', virtualhost, tls: verify, verdict: 'up', steps: trusted },
    {
      title: 'a good one, named by checksni',
      server: 'good',
      virtualhost: 'else.example.test',
      tls: { ...verify, checksni: `${name}.` },
      verdict: 'up',
      steps: trusted,
    },
    {
      title: 'a good one, by the address alone',
      server: 'good',
      tls: verify,
      verdict: 'up',
      steps: /its chain: trusted; its name: is 127\.0\.0\.1/,
    },
    {
      title: 'a good one, by a wildcard',
      server: 'good',
      virtualhost: 'a.wild.example.test:8443',
      tls: verify,
      verdict: 'up',
      steps: /its name: is a\.wild\.example\.test$/m,
    },
    { title: 'a self-signed one', server: 'own', virtualhost, verdict: 'up', steps: ownChain },
    {
      title: 'a self-signed one',
      server: 'own',
      virtualhost,
      tls: verify,
      verdict: 'down tls',
      steps: ownChain,
      detail: /^certificate not accepted: self-signed certificate$/,
    },
    {
      title: 'one of an unknown authority',
      server: 'good',
      virtualhost,
      unknownAuthority: true,
      tls: verify,
      verdict: 'down tls',
      steps: /its chain: unable to verify the first certificate/,
      detail: /^certificate not accepted: unable to verify the first certificate$/,
    },
    {
      title: 'one for another name',
      server: 'other',
      virtualhost,
      verdict: 'up',
      steps: /certificate of other\.example\.test until \d{4}.*\n.*trusted; its name: is not www\.example\.test/,
    },
    {
      title: 'one for another name',
      server: 'other',
      virtualhost,
      tls: verify,
      verdict: 'down tls',
      steps: /its name: is not www/,
      detail: /^certificate not accepted: the certificate is for other\.example\.test, not for www\.example\.test$/,
    },
    {
      title: 'one that does not name the address',
      server: 'other',
      tls: verify,
      verdict: 'down tls',
      steps: /its name: is not 127\.0\.0\.1/,
      detail: /not for 127\.0\.0\.1$/,
    },
    {
      title: 'an expired one',
      server: 'expired',
      virtualhost,
      verdict: 'up',
      steps: /its chain: certificate has expired/,
      warnings: /^the certificate of www\.example\.test has expired on \d{4}-\d\d-\d\d$/,
    },
    {
      title: 'an expired one',
      server: 'expired',
      virtualhost,
      tls: verify,
      verdict: 'down tls',
      steps: /its chain: certificate has expired/,
      detail: /^certificate not accepted: certificate has expired$/,
      warnings: /has expired on/,
    },
    {
      title: 'one that ends in five days',
      server: 'ending',
      virtualhost,
      tls: verify,
      verdict: 'up',
      steps: trusted,
      warnings: /^the certificate of www\.example\.test ends on \d{4}-\d\d-\d\d$/,
    },
  ]
  for (const row of rows) {
    const how = row.tls?.tlsverify === true ? 'with tlsverify' : 'without tlsverify'
    it(`${row.verdict} ${how}: ${row.title}`, async () => {
      const web = await startWeb(() => page('OK'), { tls: served[row.server] ?? {} })
      try {
        const tlsca = row.unknownAuthority === true ? undefined : authority.caFile
        const question = { check: https, port: web.port, tls: { tlsca, ...row.tls } }
        const answer = await askWeb(
          row.virtualhost === undefined ? question : { ...question, virtualhost: row.virtualhost },
        )
        assert.equal(verdictOf(answer), row.verdict, answer.result.detail)
        assert.match(answer.steps.join('\n'), row.steps)
        assert.match(answer.result.detail, row.detail ?? /^HTTP 200 OK/)
        assert.match(answer.warnings.join('\n'), row.warnings ?? /^$/)
      } finally {
        await web.close()
      }
    })
  }

  it('sends checksni instead of the virtual host, also after a redirect to the same site, and not to another', async () => {
    const to: Record<string, string> = { '/': `https://${name}/b`, '/b': 'https://other.example.test/c' }
    const web = await startWeb((path) => (to[path] === undefined ? page('OK') : redirect(to[path])), { tls: good })
    try {
      const tls = { checksni: 'inner.example.test' }
      const answer = await askWeb({ check: https, port: web.port, virtualhost, tls })
      assert.equal(verdictOf(answer), 'up', answer.result.detail)
      assert.deepEqual(web.serverNames, ['inner.example.test', 'inner.example.test', 'other.example.test'])
      assert.match(web.requests[0] ?? '', /^host: www\.example\.test\r$/im)
    } finally {
      await web.close()
    }
  })

  it('has checksni as the name of an https server without a virtual host', async () => {
    const web = await startWeb(() => page('OK'), { tls: good })
    try {
      const tls = { checksni: name, tlsverify: true, tlsca: authority.caFile }
      assert.equal(verdictOf(await askWeb({ check: https, port: web.port, tls })), 'up')
      assert.deepEqual(web.serverNames, [name])
      assert.match(web.requests[0] ?? '', /^host: 127\.0\.0\.1\r$/im)
    } finally {
      await web.close()
    }
  })

  describe('to a server that asks for a certificate', () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`over ${maxVersion}: up with the right one only`, async () => {
        const client = authority.issue('DNS:client')
        const tls = {
          ...good,
          ca: readFileSync(authority.caFile),
          requestCert: true,
          rejectUnauthorized: true,
          maxVersion,
        }
        const web = await startWeb(() => page('OK'), { tls })
        const foreign = makeAuthority()
        try {
          const stranger = foreign.issue('DNS:client')
          const ask = (own: Issued | undefined) =>
            askWeb({ check: https, port: web.port, tls: { tlscert: own?.certFile, tlskey: own?.keyFile } })
          assert.equal(verdictOf(await ask(client)), 'up')
          const without = await ask(undefined)
          assert.equal(verdictOf(without), 'down tls', without.result.detail)
          // a server of Node closes without a word here; test/servers has one that says why
          const refused = await ask(stranger)
          assert.ok(['down tls', 'down closed'].includes(verdictOf(refused)), refused.result.detail)
        } finally {
          foreign.remove()
          await web.close()
        }
      })
    }

    it('takes the key from the file of the certificate where tlskey is not given', async () => {
      const { keyFile, key, cert } = authority.issue('DNS:client')
      writeFileSync(keyFile, Buffer.concat([key, cert]))
      const web = await startWeb(() => page('OK'), { tls: good })
      try {
        assert.equal(verdictOf(await askWeb({ check: https, port: web.port, tls: { tlscert: keyFile } })), 'up')
      } finally {
        await web.close()
      }
    })
  })

  describe('with files that cannot be used', () => {
    const faults: readonly (readonly [string, (directory: string) => Partial<TlsSettings>, RegExp])[] = [
      ['no such tlsca', (d) => ({ tlsca: join(d, 'none') }), /none cannot be used for TLS: ENOENT/],
      ['a directory as tlsca', (d) => ({ tlsca: d }), /it is no file of a certificate/],
      [
        'a tlsca without certificates',
        (d) => ({ tlsca: join(d, 'ext') }),
        /ext cannot be used for TLS: no certificate/,
      ],
      ['a key as tlsca', (d) => ({ tlsca: join(d, '2.key') }), /2\.key cannot be used for TLS: no certificate/],
      ['a tlscert that is none', (d) => ({ tlscert: join(d, 'ext') }), /ext cannot be used for TLS: .*PEM routines/],
      ['a key without its certificate', (d) => ({ tlskey: join(d, '1.key') }), /tlskey without tlscert/],
      [
        'a key of another certificate',
        (d) => ({ tlscert: join(d, '1.pem'), tlskey: join(d, '2.key') }),
        /1\.pem, .*2\.key cannot be used for TLS: .*key values mismatch/,
      ],
    ]
    for (const [title, tls, detail] of faults) {
      it(`unknown local-resource: ${title}, and the server sees no handshake`, async () => {
        const atStart = openSockets()
        const web = await startWeb(() => page('OK'), { tls: good })
        try {
          const answer = await askWeb({ check: https, port: web.port, tls: tls(authority.directory) })
          assert.equal(verdictOf(answer), 'unknown local-resource', answer.result.detail)
          assert.match(answer.result.detail, detail)
          assert.deepEqual(web.serverNames, [])
        } finally {
          await web.close()
        }
        await handlesClosed()
        assert.equal(openSockets(), atStart)
      })
    }

    it('sees that a file has changed, has gone and has come back', async () => {
      const web = await startWeb(() => page('OK'), { tls: good })
      const tlsca = join(authority.directory, 'changing.pem')
      const verdict = async () =>
        verdictOf(await askWeb({ check: https, port: web.port, tls: { tlsverify: true, tlsca } }))
      try {
        writeFileSync(tlsca, makeCertificate('elsewhere').cert)
        assert.equal(await verdict(), 'down tls')
        writeFileSync(tlsca, readFileSync(authority.caFile))
        utimesSync(tlsca, 1, 1)
        assert.equal(await verdict(), 'up')
        rmSync(tlsca)
        assert.equal(await verdict(), 'unknown local-resource')
        writeFileSync(tlsca, readFileSync(authority.caFile))
        assert.equal(await verdict(), 'up')
      } finally {
        await web.close()
      }
    })
  })
})

describe('the directives of TLS', () => {
  const at = { file: 'x', line: 1, column: 1, length: 1 }
  const directive = (value: string): Directive => ({ name: 'x', value, nameAt: at, valueAt: at })
  const read = (decode: (d: Directive, r: ReturnType<typeof collectDiagnostics>) => unknown, value: string) => {
    const report = collectDiagnostics()
    const decoded = decode(directive(value), report)
    return [decoded, report.diagnostics.map(({ severity, code }) => `${severity} ${code}`)]
  }
  const fault = ['error value']
  const rows: readonly (readonly [keyof typeof tlsFields | 'starttls', string, unknown, readonly string[]])[] = [
    ['tlsverify', 'yes', true, []],
    ['tlsverify', 'no  # later', false, []],
    ['tlsverify', 'true', false, fault],
    ['tlsca', '"/etc/ssl/own ca.pem"', '/etc/ssl/own ca.pem', []],
    ['tlsca', '/etc/ssl/ca.pem', undefined, fault],
    ['tlscert', '""', undefined, fault],
    ['tlskey', '"k"', 'k', []],
    ['checksni', '"www.example.test"', 'www.example.test', []],
    ['checksni', '""', undefined, fault],
    ['starttls', 'yes', 'yes', []],
    ['starttls', 'try # or not', 'try', []],
    ['starttls', 'maybe', 'no', fault],
    ['starttls', '', 'no', fault],
  ]
  for (const [field, value, decoded, diagnostics] of rows) {
    it(`read ${field} = ${value}`, () => {
      const { decode } = field === 'starttls' ? starttls : tlsFields[field]
      assert.deepEqual(read(decode, value), [decoded, diagnostics])
    })
  }

  it('have the defaults of a check that has none of them', () => {
    const defaults = Object.entries(tlsFields).map(([key, field]) => [
      key,
      field.decode(undefined, collectDiagnostics()),
    ])
    assert.deepEqual(Object.fromEntries(defaults), plainTlsSettings)
  })

  it('are part of what makes a probe another one', () => {
    const target = { address: '127.0.0.1', family: 4, port: 443, transport: 'tcp' } as const
    const keyOf = (tls: Partial<TlsSettings>): string => {
      const options = { ...plainTlsSettings, request: makeRequest('/', false), ...tls }
      return makeProbe({ check: https, target, options, timeoutMs: 1 }).key
    }
    const settings = [{}, { tlsverify: true }, { tlsca: 'a' }, { tlscert: 'a' }, { tlskey: 'a' }, { checksni: 'a' }]
    assert.equal(new Set(settings.map(keyOf)).size, settings.length)
  })
})
