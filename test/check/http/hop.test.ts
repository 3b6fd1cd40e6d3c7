import assert from 'node:assert/strict'
import { Failure } from '../../../src/check/failure.ts'
import { makeRequest } from '../../../src/check/fields.ts'
import { encodePath, firstHop, type Hop, nextHop, type Scheme } from '../../../src/check/http/hop.ts'

/** As a URL with its Host header and server name: `http://192.0.2.20:80/ Host: x SNI: y`. */
function told(hop: Hop): string {
  const host = hop.host.includes(':') ? `[${hop.host}]` : hop.host
  return `${hop.scheme}://${host}:${hop.port}${hop.path} Host: ${hop.hostHeader} SNI: ${hop.serverName ?? '-'}`
}

function first(
  text: string,
  parts: { scheme?: Scheme; perReal?: boolean; virtualhost?: string; address?: string } = {},
): Hop {
  const { scheme = 'http', perReal = false, virtualhost, address = '127.0.0.2' } = parts
  const port = scheme === 'http' ? 80 : 443
  return firstHop({ scheme, address, port, request: makeRequest(text, perReal), virtualhost })
}

describe('the first request', () => {
  // rows 81 to 83 of the behaviour reference's appendix are among them
  const rows: readonly (readonly [string, Hop, string])[] = [
    ['no request', first('/'), 'http://127.0.0.2:80/ Host: 127.0.0.2 SNI: -'],
    ['a path', first('a.html'), 'http://127.0.0.2:80/a.html Host: 127.0.0.2 SNI: -'],
    ['IPv6', first('/', { address: '2001:db8::2' }), 'http://[2001:db8::2]:80/ Host: [2001:db8::2] SNI: -'],
    ['a virtualhost', first('/', { virtualhost: 'www.x.y' }), 'http://127.0.0.2:80/ Host: www.x.y SNI: www.x.y'],
    [
      'an URL in a pair',
      first('http://127.0.0.9:99/x', { perReal: true }),
      'http://127.0.0.9:99/x Host: 127.0.0.9 SNI: 127.0.0.9',
    ],
    [
      'an URL of the other scheme in a pair',
      first('http://127.0.0.9:99/x', { perReal: true, scheme: 'https' }),
      'https://127.0.0.2:443/http://127.0.0.9:99/x Host: 127.0.0.2 SNI: -',
    ],
    [
      'an URL in a section',
      first('http://127.0.0.9:99/x'),
      'http://127.0.0.2:80/http://127.0.0.9:99/x Host: 127.0.0.2 SNI: -',
    ],
    [
      'an https URL in a pair',
      first('https://www.z/', { perReal: true, scheme: 'https', virtualhost: 'v' }),
      'https://www.z:443/ Host: v SNI: v',
    ],
    [
      'an URL inside a path',
      first('/?u=http://x/', { perReal: true }),
      'http://127.0.0.2:80/?u=http://x/ Host: 127.0.0.2 SNI: -',
    ],
    ['an IPv6 URL', first('http://[::1]/', { perReal: true }), 'http://[::1]:80/ Host: [::1] SNI: ::1'],
    [
      'a virtualhost that tries to be two headers',
      first('/', { virtualhost: 'a\r\nX: b' }),
      'http://127.0.0.2:80/ Host: aX: b SNI: a\r\nX: b',
    ],
  ]
  for (const [name, hop, expected] of rows) it(`with ${name}`, () => assert.equal(told(hop), expected))

  it('with an URL that is none fails', () => {
    assert.throws(() => first('http://[/', { perReal: true }), Failure)
  })
})

describe('the encoding of a path', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['/a b', '/a%20b'],
    ['/a%20b%zz', '/a%20b%zz'],
    ['/\xe9\u65e5', '/%C3%A9%E6%97%A5'],
    ['/"<>\\^`{|}', '/%22%3C%3E%5C%5E%60%7B%7C%7D'],
    ["/-._~:?[]@!$&'()*+,;=", "/-._~:?[]@!$&'()*+,;="],
    ['/a\tb\r\nX: y', '/a%09b%0D%0AX:%20y'],
    ['/a#b', '/a'],
  ]
  for (const [text, expected] of rows) it(JSON.stringify(text), () => assert.equal(encodePath(text), expected))
})

describe('the request after a redirect', () => {
  const start = first('/dir/a?q', { virtualhost: 'www.x' })
  const rows: readonly (readonly [string, string, string?])[] = [
    ['b', 'http://127.0.0.2:80/dir/b Host: www.x SNI: www.x'],
    ['/b c', 'http://127.0.0.2:80/b%20c Host: www.x SNI: www.x'],
    ['?r', 'http://127.0.0.2:80/dir/a?r Host: www.x SNI: www.x'],
    ['http://other/b#f', 'http://127.0.0.2:80/b Host: other SNI: other'],
    ['http://other:8080/', 'http://127.0.0.2:80/ Host: other:8080 SNI: other'],
    ['//other/', 'http://127.0.0.2:80/ Host: other SNI: other'],
    ['https://other/', 'https://127.0.0.2:443/ Host: other SNI: other', 'other'],
    ['https://other:8443/', 'https://127.0.0.2:8443/ Host: other:8443 SNI: other', 'other'],
    ['https://[2001:db8::9]/', 'https://127.0.0.2:443/ Host: [2001:db8::9] SNI: 2001:db8::9', '2001:db8::9'],
    ['HTTP://Other/', 'http://127.0.0.2:80/ Host: other SNI: other'],
  ]
  for (const [location, expected, named] of rows) {
    it(`to ${location}`, () => {
      const hop = nextHop(start, start, location)
      assert.deepEqual([told(hop), hop.named, hop.location], [expected, named, location])
    })
  }

  it('stays with a host that was asked in place of the real server only while no host is named', () => {
    const away: Hop = { ...nextHop(start, start, 'https://other/'), host: '192.0.2.99' }
    assert.equal(told(nextHop(start, away, '/next')), 'https://192.0.2.99:443/next Host: other SNI: other')
    assert.equal(told(nextHop(start, away, 'http://www.x/')), 'http://127.0.0.2:80/ Host: www.x SNI: www.x')
  })

  for (const location of ['ftp://other/', 'mailto:a@b', 'http://[', 'javascript:1']) {
    it(`to ${location} fails`, () => assert.throws(() => nextHop(start, start, location), Failure))
  }
})
