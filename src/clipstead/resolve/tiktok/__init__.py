"""TikTok's own pages: page to post, refusals and challenges (all pure), and the way to ask for them politely."""
