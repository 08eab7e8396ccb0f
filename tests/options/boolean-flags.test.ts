import { describe, expect, it } from '@jest/globals'
import { writeFlagsOut } from '../../jobs/options/boolean-flags.ts'

const names = new Set(['x', 'help', 'no-cache'])
const written = (...argv: string[]): string[] => writeFlagsOut(argv, names)

describe('writeFlagsOut', () => {
  it.each(['', '=1', '=yes', '=TRUE', '=On', ' 1', ' true', ' YES', ' on'])('--x%s is true', (spelling) => {
    expect(written(...`a --x${spelling} b`.split(' '))).toEqual(['a', '--x=true', 'b'])
  })

  it.each(['=0', '=no', '=FALSE', '=Off', ' 0', ' false', ' NO', ' off'])('--x%s is false', (spelling) => {
    expect(written(...`a --x${spelling} b`.split(' '))).toEqual(['a', '--x=false', 'b'])
  })

  it('--no-x is false and takes nothing', () => {
    expect(written('--no-x', '1')).toEqual(['--x=false', '1'])
    expect(() => written('--no-x=1')).toThrow('--no-x takes no value')
  })

  it('a flag may begin with "no-"', () => {
    expect(written('--no-cache')).toEqual(['--no-cache=true'])
    expect(written('--no-no-cache')).toEqual(['--no-cache=false'])
  })

  it.each(['', 'maybe', '2', 'tru', 'yes\n', 'constructor'])('--x=%j is refused', (value) => {
    expect(() => written(`--x=${value}`)).toThrow(
      expect.objectContaining({
        code: 'usage',
        field: '--x',
        message: `--x: "${value}" is not valid`,
        fix: 'give true or false (or 1, yes, on; 0, no, off)',
      }),
    )
  })

  it('refuses a flag that is given twice, also where one takes the other back', () => {
    for (const [first, second] of [
      ['--x', '--x'],
      ['--x', '--no-x'],
      ['--x=1', '--x=0'],
    ] as const) {
      expect(() => written(first, 'a', second)).toThrow('--x is given 2 times')
    }
  })

  it('leaves other words, other options and what follows -- alone', () => {
    const others = ['a', '--y=maybe', '-x', '---x', '--', '--x', '1', '--x=maybe']
    expect(written(...others)).toEqual(others)
    expect(written('--x', 'truth')).toEqual(['--x=true', 'truth'])
    expect(written('--x', '--', '1')).toEqual(['--x=true', '--', '1'])
  })
})
