"""How fast is a click, beside what it could be at best, and beside a bot without any safety?"""
