import assert from 'node:assert/strict'
import { ldap } from '../../checks/ldap.ts'
import { ldaps } from '../../checks/ldaps.ts'
import type { AnyCheck } from '../../src/check/contract.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { compileReceive, isFault } from '../../src/check/receive/receive.ts'
import { Secret } from '../../src/lib/secret.ts'
import { ask as askUnrecorded, verdictOf } from '../checks/probing.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'
import { type Slapd, slapdPrograms, startSlapd } from './slapd.ts'

const ask = asking('OpenLDAP', 'slapd')

interface Given {
  readonly check?: AnyCheck
  readonly address?: string
  readonly port?: number
  readonly login?: string
  readonly passwd?: string
  readonly request?: string
  readonly receive?: string
  readonly starttls?: 'yes' | 'no' | 'try'
  readonly tls?: Readonly<Record<string, unknown>>
  readonly timeoutMs?: number
}

function pattern(source: string) {
  const compiled = compileReceive(source)
  assert.ok(!isFault(compiled))
  return compiled
}

describe('ldap and ldaps against a real OpenLDAP', function () {
  this.timeout(60_000)
  let server: Slapd | undefined
  before(async function () {
    needs(this, ...slapdPrograms)
    server = await startSlapd()
  })
  after(() => server?.stop())

  const probe = (given: Given = {}) => {
    const { check = ldap, address = '127.0.0.1', request = '/', login = '', passwd = '', timeoutMs = 5000 } = given
    const port = given.port ?? (check === ldaps ? server?.ldapsPort : server?.ldapPort) ?? 0
    const options = {
      ...{ login, passwd: new Secret(passwd), request: makeRequest(request, false) },
      ...(given.receive === undefined ? {} : { receive: pattern(given.receive) }),
      ...(given.starttls === undefined ? {} : { starttls: given.starttls }),
      ...given.tls,
    }
    return ask({ check, address, port, options, timeoutMs })
  }

  const login = 'cn=probe,dc=example,dc=test'
  const bound = { login, passwd: 'secret' }
  const cases: readonly [title: string, given: Given, verdict: string, detail: RegExp][] = [
    ['the root entry, anonymously', {}, 'up', /found the root entry/],
    ['the root entry, with a pattern that an empty name matches', { receive: '^$' }, 'up', /receive matches/],
    ['the root entry, whose name is empty', { receive: 'dc' }, 'down mismatch', /not found in the name/],
    ['an entry by its name', { request: '/dc=example,dc=test' }, 'up', /"dc=example,dc=test"/],
    ['an entry whose name is looked at', { request: login, receive: '^cn=pr' }, 'up', /receive matches/],
    ['an entry by another spelling of its name', { request: 'CN=Probe, dc=example,dc=test' }, 'up', /"cn=probe,dc/],
    ['another name than wanted', { request: login, receive: 'cn=other' }, 'down mismatch', /not found in the name/],
    ['an entry that does not exist', { request: '/cn=gone,dc=example,dc=test' }, 'down mismatch', /error 32/],
    ['a name that is none', { request: '/gone' }, 'down protocol', /error 34: /],
    ['a suffix of another server', { request: '/dc=other' }, 'down mismatch', /error 32/],
    ['with a login', { ...bound, request: login }, 'up', /found/],
    ['a wrong password', { login, passwd: 'wrong' }, 'down auth', /error 49/],
    ['an unknown account', { login: 'cn=nobody,dc=example,dc=test', passwd: 'secret' }, 'down auth', /error 49/],
    ['a login that is no name', { login: 'probe', passwd: 'secret' }, 'down protocol', /error 34/],
    ['a login without a password: anonymous', { login, request: login }, 'up', /found/],
    ['a password without a login: anonymous', { passwd: 'wrong', request: login }, 'up', /found/],
    ['an entry for accounts only', { ...bound, request: '/cn=hidden,dc=example,dc=test' }, 'up', /found/],
    ['that entry, anonymously', { request: '/cn=hidden,dc=example,dc=test' }, 'down mismatch', /error 32/],
    ['a name with a question mark', { request: '/cn=what?now,dc=example,dc=test' }, 'up', /what\?now/],
    ['a filter', { request: '/dc=example,dc=test??sub?(cn=probe)' }, 'up', /"cn=probe,dc/],
    [
      'a filter and attributes',
      { request: '/dc=example,dc=test?cn,sn?one?(&(cn=probe)(sn=p*))' },
      'up',
      /"cn=probe,dc/,
    ],
    ['a filter that finds nothing', { request: '/dc=example,dc=test??sub?(cn=gone)' }, 'down mismatch', /no entry/],
    ['a search that finds several', { request: '/dc=example,dc=test??sub' }, 'down mismatch', /more than one/],
    ['a filter with a fault', { request: '/dc=example,dc=test??sub?(cn)' }, 'down protocol', /not understood/],
  ]
  for (const check of [ldap, ldaps]) {
    for (const [title, given, verdict, detail] of cases) {
      it(`${check.name} is ${verdict}: ${title}`, async () => {
        const result = await probe({ ...given, check })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
      })
    }

    it(`${check.name} is up over IPv6`, async () => {
      assert.equal(verdictOf(await probe({ check, address: '::1' })), 'up')
    })

    it(`${check.name} is up, fifty at once`, async () => {
      const results = await Promise.all(Array.from({ length: 50 }, () => probe({ ...bound, check })))
      assert.deepEqual(new Set(results.map(verdictOf)), new Set(['up']))
    })
  }

  for (const starttls of ['yes', 'try'] as const) {
    it(`ldap is up after STARTTLS: ${starttls}`, async () => {
      assert.equal(verdictOf(await probe({ ...bound, starttls, request: login })), 'up')
      assert.equal(verdictOf(await probe({ login, passwd: 'wrong', starttls })), 'down auth')
    })
  }

  for (const given of [{ check: ldaps }, { check: ldap, starttls: 'yes' }] as const) {
    it(`${given.check.name} verifies the certificate when told to`, async () => {
      const tlsca = server === undefined ? '' : `${server.directory}/cert.pem`
      const tls = { tlsverify: true, tlsca, checksni: 'www.example.test' }
      assert.equal(verdictOf(await probe({ ...given, tls })), 'up')
      assert.equal(verdictOf(await probe({ ...given, tls: { tlsverify: true } })), 'down tls')
      assert.equal(verdictOf(await probe({ ...given, tls: { ...tls, checksni: 'other.test' } })), 'down tls')
    })
  }

  it("on the port of the other, is down with a reason that is the server's choice", async () => {
    const { ldapPort = 0, ldapsPort = 0 } = server ?? {}
    const tls = await askUnrecorded({ check: ldaps, port: ldapPort })
    assert.match(verdictOf(tls), /^down (closed|tls)$/)
    const plain = await askUnrecorded({ check: ldap, port: ldapsPort })
    assert.match(verdictOf(plain), /^down (closed|protocol)$/)
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    for (const check of [ldap, ldaps]) {
      it(`${check.name} is down timeout: it accepts and says nothing`, async () => {
        const result = await probe({ check, timeoutMs: 400 })
        assert.equal(verdictOf(result), 'down timeout', result.detail)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    }
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused', async () => {
      assert.equal(verdictOf(await probe(bound)), 'up')
      await server?.kill()
      for (const check of [ldap, ldaps]) assert.equal(verdictOf(await probe({ check })), 'down refused')
    })
  })
})
