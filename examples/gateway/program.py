"""A program that calls a model with OpenAI's package, and knows nothing of runattest."""
import sys

import openai

try:
    answer = openai.OpenAI().chat.completions.create(
        model="gpt-5.5", max_completion_tokens=int(sys.argv[1]), messages=[{"role": "user", "content": "Who are you?"}]
    )
    print(answer.choices[0].message.content)
except openai.APIStatusError as e:
    sys.exit(f"{type(e).__name__}: {e.message}")
