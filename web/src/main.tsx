import { render } from 'preact';
import { App } from './app.tsx';
import { openChat } from './chat.ts';
import './styles/tokens.css';
import './styles/layout.css';
import './styles/messages.css';
import './styles/versions.css';
import './styles/composer.css';
import './styles/notices.css';

const root = document.getElementById('app');
if (root !== null) render(<App chat={openChat()} />, root);
