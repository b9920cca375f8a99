import { catalogue } from './catalogue.ts'
import { GENERAL_REGISTERS, SYSTEM_REGISTERS, VECTOR_REGISTERS } from './registers.ts'

/** Rules of Monaco's tokeniser (Monarch), as data: the types of Monaco are not needed to test them. */
export const A64_TOKENS = {
  ignoreCase: true,
  defaultToken: '',
  mnemonics: [...catalogue.keys()],
  registers: [...GENERAL_REGISTERS, ...VECTOR_REGISTERS],
  systemRegisters: [...SYSTEM_REGISTERS],
  tokenizer: {
    root: [
      // As in GNU as: # begins a comment in the first column only.
      [/^#.*$/, 'comment'],
      [/\/\/.*$/, 'comment'],
      [/\/\*/, 'comment', '@block'],
      [/[\w.$]+(?=:)/, 'label'],
      [/\.L[\w.$]*/, 'identifier'],
      [/\.[a-z_]\w*/, 'keyword.directive'],
      [/\.\d\w*/, 'keyword.directive'],
      [/v\d+(?:\.\d*[bhsdq])?(?![\w$])/, 'variable.predefined'],
      [/[sS][23]_[0-7]_[cC]\d+_[cC]\d+_[0-7]/, 'variable.system'],
      [
        /[a-z_$][\w.$]*/,
        {
          cases: {
            '@registers': 'variable.predefined',
            '@mnemonics': 'keyword',
            '@systemRegisters': 'variable.system',
            '@default': 'identifier',
          },
        },
      ],
      [/\\[a-z_@][\w]*/, 'variable.parameter'],
      [/:(?:lo12|abs_g[0-3](?:_nc)?):/, 'operator'],
      [/\d+[bf](?![\w.$])/, 'label'],
      [/0x[0-9a-f]+/, 'number'],
      [/0b[01]+/, 'number'],
      [/\d+\.\d*(?:e[-+]?\d+)?/, 'number'],
      [/\d+/, 'number'],
      [/'(?:\\.|[^\\'])'/, 'number'],
      [/"/, 'string', '@text'],
      [/[[\]{}()]/, '@brackets'],
      [/[#,;]/, 'delimiter'],
      [/[-+*/%&|^~!<>=@:?]/, 'operator'],
      [/\s+/, 'white'],
    ],
    block: [
      [/[^*]+/, 'comment'],
      [/\*\//, 'comment', '@pop'],
      [/\*/, 'comment'],
    ],
    text: [
      [/[^\\"]+$/, 'string', '@pop'],
      [/[^\\"]+/, 'string'],
      [/\\(?:x[0-9a-f]{1,2}|[0-7]{1,3}|.)/, 'string.escape'],
      [/"/, 'string', '@pop'],
    ],
  },
} as const

export const A64_CONFIGURATION = {
  comments: { lineComment: '//', blockComment: ['/*', '*/'] as [string, string] },
  brackets: [
    ['[', ']'],
    ['{', '}'],
    ['(', ')'],
  ] as [string, string][],
  autoClosingPairs: [
    { open: '[', close: ']' },
    { open: '{', close: '}' },
    { open: '(', close: ')' },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
  ],
  // Mnemonics such as b.eq and directives are words with their dot.
  wordPattern: /\.?[A-Za-z_$\\][\w.$]*|\.\d\w*|\d+[bf]\b|-?0x[0-9a-fA-F]+|\d+/,
}
