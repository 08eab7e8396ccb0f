import { expect, test } from '@jest/globals'
import { markup, shown } from '../../../jobs/report/html/markup.ts'

test('text is text in elements and in attributes, whatever is in it', () => {
  const hostile = `"><script>alert(1)</script><svg onload='x'>&amp;`
  expect(markup`<p title="${hostile}">${hostile}</p>`.text).toBe(
    `<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;svg onload=&#39;x&#39;&gt;&amp;amp;">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;svg onload=&#39;x&#39;&gt;&amp;amp;</p>`,
  )
})

test('markup within markup stays markup, lists are put together, nothing is nothing', () => {
  expect(
    markup`<ul>
      ${['a<', 'b'].map((one) => markup`<li>${one}</li>`)}${undefined}</ul>${3}`.text,
  ).toBe('<ul>\n<li>a&lt;</li><li>b</li></ul>3')
})

test('what would be invisible or would turn text round is shown by its number', () => {
  expect(shown('a\u202Eb\u2066\u200B\u0000\n\u2028\uFEFF\uD800')).toBe(
    'a‹U+202E›b‹U+2066›‹U+200B›‹U+0000›‹U+000A›‹U+2028›‹U+FEFF›\uFFFD',
  )
  expect(shown('é 漢 😀 ا')).toBe('é 漢 😀 ا')
})

test('long text is cut by characters, with its length', () => {
  expect(shown('x'.repeat(200))).toBe('x'.repeat(200))
  expect(shown('x'.repeat(10_240))).toBe(`${'x'.repeat(200)}… (10,240 characters)`)
  expect(shown('😀'.repeat(300), 3)).toBe('😀😀😀… (600 characters)')
})
