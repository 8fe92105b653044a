/** What people say to a companion; written for this measurement. */
export const openings = [
  'Hi! How are you today?',
  'I had a long day at work and I am tired.',
  'Do you like music?',
  'My cat is asleep on my keyboard again.',
  'Tell me a story about a lighthouse keeper.',
  'What should I cook tonight? I have eggs, rice and tomatoes.',
  'I am a bit nervous about tomorrow.',
  'Why is the sky blue?',
  'I finally finished the book you told me about.',
  'My sister is visiting next week and I do not know what to show her in town.',
  'I cannot sleep.',
  'Thanks, that helps.',
  'What do you think about when nobody talks to you?',
  'I went running this morning for the first time in years!',
  'Can you cheer me up?',
  'Good night!',
] as const;
