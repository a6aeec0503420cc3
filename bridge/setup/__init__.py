"""Setting a bridge up: from what is wished for to a file that `check` accepts, with its secrets in `.env`.

plan.py     what is wished for, and whether it can be
questions.py  what each sink has to be told
writing.py  the texts of the files
files.py    putting them where they belong
chats.py    finding a Telegram chat by what is written in it
"""
