"""What is asked outside the world of pictures, and greetings; whole questions are held out."""

from __future__ import annotations

from training.world.phrasings import Phrasings

OUTSIDE = Phrasings(  # about a picture, but not about what these models know
    train=(
        "Who painted this?", "Who made this picture?", "When was this picture taken?",
        "Where was this photo taken?", "How much does it cost?", "Is this a famous picture?",
        "Do you like it?", "Is it beautiful?", "What is the name of the artist?",
        "Who is in the picture?", "What is the person doing?", "Is there a dog?", "Is there a cat?",
        "Do you see a car?", "What is the weather like?", "Is it day or night?", "How old is this?",
        "What time is it in the picture?", "Which camera was used?", "Where can I buy this?",
        "Why is it like that?", "What does it mean?", "What is the mood of the picture?",
        "Can you draw this for me?", "Make it larger.", "Turn the picture around.", "Is it art?",
        "How big is the file?", "What is the resolution?", "Who owns this?", "Is this real?",
        "Tell me a story about it.", "Write a poem about this picture.",
        "Translate it into French.",
        "What happens next?", "What is behind the picture?", "What does it smell like?",
        "How many people are there?", "Do you see a house?", "Is somebody smiling?",
        "Which animal is this?", "Which country is this?", "What brand is it?", "Is it heavy?",
        "What should I wear?", "Is the woman happy?", "Where is the tree?", "What is he holding?",
        "Who took this photo?", "How far away is it?", "What material is it made of?",
        "Can you fix this picture?", "Is it expensive?", "Which museum is this in?",
        "What is the source of the data?", "What will it be next year?", "Who drew this chart?",
        "Is the result significant?", "Which company is this?", "What is the average?",
        "What is the price?", "Is it worth a lot?", "What would you pay for it?",
        "How much money is it?", "How much did you pay for this?", "Is it worth anything?",
        "How much is the frame?", "Which artist is this?", "What is the title?", "Is it for sale?",
        "Write a song about it.", "Make up a story for the picture.", "Invent a story, please.",
        "Write something nice about the image.", "Write a letter about this picture.",
        "What is the story behind this picture?",
        "Where is it from?", "What is the place called?", "Who is that man?",
        "What is she doing?",
        "Is it good?", "What would you call it?", "Who sent this?",
    ),
    held_out=(
        "Who painted it?", "When was this made?", "Where is this place?", "Is there a person?",
        "Do you see a tree?", "How much is it worth?", "Do you find it beautiful?",
        "What is the dog doing?", "Write a story about this picture.", "Which city is this?",
        "Who made this?", "What is the title of the painting?",
    ),
)  # fmt: skip

ELSEWHERE = Phrasings(  # about anything else
    train=(
        "What is the capital of France?", "What is 2 + 2?", "Tell me a joke.", "What day is it?",
        "Who is the president?", "What is the weather today?", "Write some code.", "Sing a song.",
        "What is the meaning of life?", "How old are you?", "What is 12 + 30?", "Tell me a story.",
        "What colour is a fox?", "How many legs does a spider have?", "What is my name?",
        "Can you book a flight?", "Translate hello into Spanish.", "What is the time?",
        "Who won the game?", "Where do you live?", "What should I eat?", "What is the news?",
        "Explain gravity.", "What is a whale?", "Play some music.",
        "What is the population of Peru?",
        "Who wrote Hamlet?", "How do I cook rice?", "What is love?", "Spell banana.",
        "What is the tallest mountain?", "What is the longest river?", "Which country is largest?",
        "What is the smallest planet?", "What is the fastest car?", "What is the oldest city?",
        "Which animal is the fastest?", "What is the biggest lake?", "Which bird is the smallest?",
        "What is the highest number?", "Which is the best phone?", "What is the hottest place?",
        "Which colour is the happiest?", "What is the largest number?", "How far is the sun?",
        "How high is the sky?", "How deep is the ocean?", "How long is a day?", "How big is Asia?",
        "How tall is a giraffe?", "How fast is light?", "How much is a ticket?", "What is a fish?",
        "Who discovered America?", "Who is the queen of England?", "Who invented the telephone?",
        "What is the date of Easter?", "What is 7 times 8?", "What is the root of 9?",
        "What is the capital of Japan?", "Which language is spoken in Brazil?", "Is it raining?",
        "Tell me something funny.", "Tell me about yourself.", "Write a letter.", "Write a song.",
        "Write an email to my boss.", "Sort this list.", "Open the window.", "Call my mother.",
        "Give me a recipe.", "What is a neuron?", "What is Python?", "Do you have a name?",
    ),
    held_out=(
        "What is the capital of Italy?", "What is 3 + 4?", "What is the date today?",
        "Write a Python function.", "Who is the king of Spain?", "Tell me a riddle.",
        "How far is the moon?", "What is the largest animal?",
    ),
)  # fmt: skip

HELLO = Phrasings(
    ("Hello", "Hi", "Hello!", "Hi!", "Hey", "Hi there!", "Good morning", "Good evening!",
     "Hey there"),
    ("Hello there!", "Good afternoon!", "Hello you!"),
)  # fmt: skip
THANKS = Phrasings(
    ("Thanks!", "Thank you.", "Thank you!", "Thanks", "Great, thanks!", "Many thanks.",
     "Thanks a lot!"),
    ("Thank you very much!", "Thanks, that helps."),
)  # fmt: skip
WHO = Phrasings(
    ("Who are you?", "What can you do?", "What are you?", "What do you know?", "How can you help?",
     "What can I ask you?", "Which pictures do you understand?", "Help"),
    ("What are you able to do?", "What can I ask?"),
)  # fmt: skip
