import assert from 'node:assert/strict'
import { parseSearch, type Search } from '../../../src/check/ldap/search.ts'

describe('the request of an ldap check', () => {
  const plain = (base: string): Search => ({ base, scope: 'base', filter: '(objectClass=*)', attributes: [] })
  const cases: readonly [text: string, search: Search][] = [
    ['', plain('')],
    ['dc=test', plain('dc=test')],
    ['cn=what?now,dc=test', plain('cn=what?now,dc=test')],
    ['cn=a?b?c', plain('cn=a?b?c')],
    ['cn=a?b?subtle', plain('cn=a?b?subtle')],
    ['cn=a??', plain('cn=a??')],
    ['cn=a???', plain('cn=a???')],
    ['cn=a???cn=b', plain('cn=a???cn=b')],
    ['dc=test??sub', { ...plain('dc=test'), scope: 'sub' }],
    ['dc=test??one?(cn=a)', { ...plain('dc=test'), scope: 'one', filter: '(cn=a)' }],
    ['dc=test???(cn=a)', { ...plain('dc=test'), filter: '(cn=a)' }],
    ['??base', plain('')],
    ['???(cn=a?b)', { ...plain(''), filter: '(cn=a?b)' }],
    ['dc=test?cn,,sn?sub', { ...plain('dc=test'), scope: 'sub', attributes: ['cn', 'sn'] }],
  ]
  for (const [text, search] of cases) {
    it(`reads "${text}"`, () => {
      assert.deepEqual(parseSearch(text), search)
    })
  }
})
